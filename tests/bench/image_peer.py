"""The peer of the rows on pixels: torchvision v2's functions on float tensors, and a PyTorch DataLoader.

Arguments: work, threads (workers of the loader for `flow`), folder of films. Reads `run N` lines, answers seconds of one image.
Where torchvision's compiled part cannot load, its Python files are enough once the two operators that it registers are declared."""
import glob, json, sys, time

import numpy as np
import torch

try:
    import torchvision
except RuntimeError:
    for name in [name for name in sys.modules if name.startswith("torchvision")]:
        del sys.modules[name]
    library = torch.library.Library("torchvision", "DEF")
    for op in ("nms", "qnms"):
        library.define(op + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision
import torchvision.transforms.v2 as T
import torchvision.transforms.v2.functional as F
from torchvision.transforms import InterpolationMode

work, threads, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
bilinear = InterpolationMode.BILINEAR


def picture(height, width, channels):
    k = np.arange(height * width * channels, dtype=np.uint64)
    data = ((k * np.uint64(40503)) % np.uint64(65536) / 65535).astype(np.float32)
    return torch.from_numpy(data.reshape(height, width, channels)).permute(2, 0, 1).contiguous()


operations = {
    "noise": lambda x: F.gaussian_noise(x, mean=0.0, sigma=0.05, clip=True),
    "rotation": lambda x: F.rotate(x, 17.0, interpolation=bilinear),
    "translation": lambda x: F.affine(x, 0.0, [0.1 * 224, -0.05 * 224], 1.0, [0.0, 0.0], interpolation=bilinear),
    "contrast": lambda x: F.adjust_contrast(x, 1.3),
    "saturation": lambda x: F.adjust_saturation(x, 0.6),
    "color": lambda x: F.adjust_hue(x, 0.1),
    "brightness": lambda x: F.adjust_brightness(x, 1.2),
    "scale": lambda x: F.affine(x, 0.0, [0, 0], 1.2, [0.0, 0.0], interpolation=bilinear),
    "crop": lambda x: F.resized_crop(x, 14, 28, 168, 168, [224, 224], interpolation=bilinear, antialias=True),
    "resize": lambda x: F.resize(x, [224, 224], interpolation=bilinear, antialias=True),
}


class Films(torch.utils.data.Dataset):
    def __init__(self):
        import cv2

        self.read = lambda path: cv2.imread(path, cv2.IMREAD_UNCHANGED)
        self.files = sorted(glob.glob(folder + "/*.png"))
        self.augment = T.Compose([
            T.RandomAffine(10, translate=(0.05, 0.05), scale=(0.9, 1.1), interpolation=bilinear),
            T.ColorJitter(brightness=0.2, contrast=0.2),
            T.GaussianNoise(sigma=0.02),
        ])

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        film = torch.from_numpy(self.read(self.files[index]).astype(np.float32))[None] / 65535
        return self.augment(F.resize(film, [384, 192], interpolation=bilinear, antialias=True))


def one_of(work):
    if work != "flow":
        torch.set_num_threads(threads)
        image = picture(4000, 3000, 1) if work == "resize" else picture(224, 224, 3)
        return lambda: operations[work](image), 1
    torch.set_num_threads(1)
    loader = torch.utils.data.DataLoader(Films(), batch_size=8, num_workers=threads, persistent_workers=True)

    def one_pass():
        return sum(len(batch) for batch in loader)

    return one_pass, len(loader.dataset)


with torch.inference_mode():
    once, images = one_of(work)
    result = once()
    for _ in range(2 if work == "flow" else 20):
        once()
    ready = {"version": f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}", "flop": 0}
    if work not in ("flow", "noise"):
        ready["logit"] = result.double().mean().item()
    print(json.dumps(ready), flush=True)
    for line in sys.stdin:
        runs = 1 if work == "flow" else int(line.split()[1])
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(runs):
            once()
        seconds, used = time.perf_counter() - wall, time.process_time() - cpu
        print(json.dumps({"seconds": seconds / runs / images, "cpuSeconds": used / runs / images}), flush=True)
