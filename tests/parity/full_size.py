"""Full-size parity: timm in PyTorch against the graphs that mammolab writes, run by ONNX Runtime in Python.

    python tests/parity/full_size.py FOLDER [NAME ...]        (default: vit_tiny_patch16_224 vit_base_patch16_224)

Makes seeded timm weights and an image in FOLDER, has `deno run` write the graph over the same weights, checks it with
onnx.checker (full check) and prints the largest differences of the logits and of the attention maps, and how far PyTorch's
float32 and ours are from PyTorch's Float64. Exits with 1 when ours and PyTorch's float32 are more than 1e-4 apart.
Needs torch, timm, onnx, onnxruntime, safetensors, and deno on the path.
"""
import copy
import os
import subprocess
import sys

os.environ["TIMM_FUSED_ATTN"] = "0"
import numpy as np
import torch

_library = torch.library.Library("torchvision", "DEF")
for _op in ("nms", "qnms"):
    _library.define(_op + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
import onnx  # noqa: E402
import onnxruntime  # noqa: E402
import timm  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
folder, names = sys.argv[1], sys.argv[2:] or ["vit_tiny_patch16_224", "vit_base_patch16_224"]
os.makedirs(folder, exist_ok=True)
failed = False
for name in names:
    torch.manual_seed(1)
    net = timm.create_model(name, pretrained=False).eval()
    with torch.no_grad():
        net.head.weight.normal_(0, 0.05)  # timm starts the head near zero: parity of zeros would prove nothing
        # ... and attention nearly even, where a wrong scale would not show. Deviation of the scores: 0.02^2 dim factor^2 = 1.2 at
        # every width. Much sharper, rounding grows from layer to layer for anyone: at factor 4, ViT-Base in PyTorch's own
        # float32 is 7e-4 from its Float64.
        for block in net.blocks:
            block.attn.qkv.weight.mul_((3072 / net.embed_dim) ** 0.5)
    maps = []
    hooks = [block.attn.attn_drop.register_forward_hook(lambda _m, _i, out: maps.append(out.numpy())) for block in net.blocks]
    image = torch.rand(2, 3, 224, 224)
    with torch.no_grad():
        logits = net((image - 0.5) / 0.5).numpy()
        for hook in hooks:
            hook.remove()
        exact = copy.deepcopy(net).double()((image.double() - 0.5) / 0.5).numpy()
    weights, graph = os.path.join(folder, f"{name}.safetensors"), os.path.join(folder, f"{name}.onnx")
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, weights)
    subprocess.run(["deno", "run", "-q", "--allow-read", "--allow-write", os.path.join(HERE, "write_graph.ts"), name, weights, graph], check=True)
    onnx.checker.check_model(graph, full_check=True)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    out = dict(zip([o.name for o in session.get_outputs()], session.run(None, {"image": image.numpy()})))
    far = np.abs(out["logits"] - logits).max()
    worst = max(np.abs(out[f"attention.{i}"] - m).max() / m.max() for i, m in enumerate(maps))
    print(f"{name}: timm {timm.__version__}, torch {torch.__version__}, onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}: "
          f"logits differ by {far:.1e} (deviation {logits.std():.2f}; from Float64: PyTorch {np.abs(logits - exact).max():.1e}, "
          f"ours {np.abs(out['logits'] - exact).max():.1e}), "
          f"attention by {worst:.1e} of its largest entry ({max(m.max() for m in maps):.2f}), {len(maps)} layers; checker: accepted")
    failed |= not (far <= 1e-4 and worst <= 1e-4)
sys.exit(failed)
