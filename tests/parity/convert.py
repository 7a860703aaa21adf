"""`deno task convert` against timm: weights that timm wrote become ONNX, ONNX Runtime in Python runs it, and back again.

    python tests/parity/convert.py [NAME ...]        (default: test_vit vit_tiny_patch16_224 deit_tiny_distilled_patch16_224)

For each network, once with the weights inside the ONNX file and once beside it: onnx.checker (full check), logits and
attention maps against PyTorch, then ONNX -> safetensors, each tensor compared byte by byte by the safetensors library.
Exits with 1 when a difference is over 1e-5. Needs torch, timm, onnx, onnxruntime, safetensors, and deno on the path.
"""
import json
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
from safetensors.numpy import load_file  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDER = os.path.join(ROOT, "out", "parity")  # a task writes only below out/


def convert(*words):
    done = subprocess.run(["deno", "task", "-q", "convert", *words, "--json"], cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return json.loads(done.stdout)


os.makedirs(FOLDER, exist_ok=True)
failed = False
for name in sys.argv[1:] or ["test_vit", "vit_tiny_patch16_224", "deit_tiny_distilled_patch16_224"]:
    torch.manual_seed(2)
    net = timm.create_model(name, pretrained=False).eval()
    with torch.no_grad():  # timm starts heads near zero: parity of zeros would prove nothing
        for head in (net.head, getattr(net, "head_dist", None)):
            if head is not None:
                head.weight.normal_(0, 0.05)
                head.bias.normal_(0, 0.05)
        for block in net.blocks:  # and attention nearly even, where a wrong scale would not show (see full_size.py)
            block.attn.qkv.weight.mul_((3072 / net.embed_dim) ** 0.5)
    maps = []
    for block in net.blocks:
        block.attn.attn_drop.register_forward_hook(lambda _m, _i, out: maps.append(out.numpy()))
    size = net.default_cfg["input_size"][-1]
    mean, std = (torch.tensor(net.default_cfg[key]).view(3, 1, 1) for key in ("mean", "std"))
    image = torch.rand(2, 1, size, size)
    with torch.no_grad():
        logits = net((image - mean) / std).numpy()
    weights = os.path.join(FOLDER, f"{name}.safetensors")
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, weights)
    for way in ([], ["--beside"]):
        graph, back = os.path.join(FOLDER, f"{name}.onnx"), os.path.join(FOLDER, f"{name}.back.safetensors")
        said = convert(weights, graph, "--network", name, *way)
        onnx.checker.check_model(graph, full_check=True)
        session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
        out = dict(zip([o.name for o in session.get_outputs()], session.run(None, {"image": image.numpy()})))
        far = np.abs(out["logits"] - logits).max()
        worst = max(np.abs(out[f"attention.{i}"] - m).max() for i, m in enumerate(maps))
        convert(graph, back)
        before, after = load_file(weights), load_file(back)
        same = before.keys() == after.keys() and all(
            before[k].dtype == after[k].dtype and before[k].shape == after[k].shape and before[k].tobytes() == after[k].tobytes() for k in before)
        failed |= not (far <= 1e-5 and worst <= 1e-5 and same)
        print(f"{name}{' (weights beside)' if way else ''}: {said['parameters']:,} parameters, {said['bytes'] / 1e6:.1f} MB; "
              f"logits differ by {far:.1e} (deviation {logits.std():.2f}), attention by {worst:.1e} (peak {max(m.max() for m in maps):.2f}); "
              f"{len(after)} tensors back {'with the same bytes' if same else 'CHANGED'}; checker: accepted")
print(f"timm {timm.__version__}, torch {torch.__version__}, onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}")
sys.exit(failed)
