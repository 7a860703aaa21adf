"""The peer of the speed table: PyTorch eager, timm's network with fused attention, the same weights.

Arguments: network, safetensors file, batch, threads. Reads `run N` lines, answers seconds and CPU seconds of one run."""
import json, subprocess, sys, time

import torch

if subprocess.run([sys.executable, "-c", "import torchvision"], stderr=subprocess.DEVNULL).returncode != 0:
    # A torchvision that was built for another PyTorch misses its C++ operators; timm's ViT uses none of them.
    library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        library.define(operator + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import timm
from safetensors.torch import load_file

net, weights, batch, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
torch.set_num_threads(threads)
model = timm.create_model(net, num_classes=2).eval()
model.load_state_dict(load_file(weights))
flat = torch.arange(batch * 224 * 224, dtype=torch.float64)
image = ((torch.sin(flat) + 1) / 2).float().reshape(batch, 1, 224, 224)


def forward():
    return model(((image - 0.5) / 0.5).expand(-1, 3, -1, -1))


with torch.inference_mode():
    logit = forward()[0].max().item()
    blas = next((line.strip(" -") for line in torch.__config__.show().split("\n") if "Math Kernel" in line or "OpenBLAS" in line), "")
    print(json.dumps({"version": f"PyTorch {torch.__version__} ({blas}), timm {timm.__version__}", "flop": 0, "logit": logit}), flush=True)
    for line in sys.stdin:
        runs = int(line.split()[1])
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(runs):
            forward()
        print(json.dumps({"seconds": (time.perf_counter() - wall) / runs, "cpuSeconds": (time.process_time() - cpu) / runs}), flush=True)
