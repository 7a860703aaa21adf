"""Full-size parity: timm in PyTorch against the graphs that mammolab writes, run by ONNX Runtime in Python.

    python tests/parity/full_size.py FOLDER [NAME ...]        (default: vit_tiny_patch16_224 vit_base_patch16_224)

Makes seeded timm weights and an image in FOLDER, has `deno run` write the graph over the same weights, checks it with
onnx.checker (full check) and prints the largest differences of the logits and of the attention maps.
Needs torch, timm, onnx, onnxruntime, safetensors, and deno on the path.
"""
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
for name in names:
    torch.manual_seed(1)
    net = timm.create_model(name, pretrained=False).eval()
    with torch.no_grad():
        net.head.weight.normal_(0, 0.05)  # timm starts the head near zero: parity of zeros would prove nothing
    maps = []
    for block in net.blocks:
        block.attn.attn_drop.register_forward_hook(lambda _m, _i, out: maps.append(out.numpy()))
    image = torch.rand(2, 3, 224, 224)
    with torch.no_grad():
        logits = net((image - 0.5) / 0.5).numpy()
    weights, graph = os.path.join(folder, f"{name}.safetensors"), os.path.join(folder, f"{name}.onnx")
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, weights)
    subprocess.run(["deno", "run", "-q", "--allow-read", "--allow-write", os.path.join(HERE, "write_graph.ts"), name, weights, graph], check=True)
    onnx.checker.check_model(graph, full_check=True)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    out = dict(zip([o.name for o in session.get_outputs()], session.run(None, {"image": image.numpy()})))
    worst = max(np.abs(out[f"attention.{i}"] - m).max() / m.max() for i, m in enumerate(maps))
    print(f"{name}: timm {timm.__version__}, torch {torch.__version__}, onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}: "
          f"logits differ by {np.abs(out['logits'] - logits).max():.1e} (deviation {logits.std():.2f}), "
          f"attention by {worst:.1e} of its largest entry, {len(maps)} layers; checker: accepted")
