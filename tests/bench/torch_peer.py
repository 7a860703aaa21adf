"""The peer of the speed table: PyTorch eager, timm's network with fused attention, the same weights.

Arguments: network, safetensors file, batch, threads, and for training steps "all" or how many blocks are trained. Reads `run N` lines, answers seconds and CPU seconds of one run."""
import contextlib, json, os, subprocess, sys, time

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


def training_step(trained):
    """Forward, backward and fused AdamW over a fixed batch; decay on matrices only. Gives the loss of each call."""
    model.train()
    kept = ("norm.", "head.") + tuple(f"blocks.{len(model.blocks) - 1 - k}." for k in range(int(trained))) if trained != "all" else ("",)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.startswith(kept))
    decays = lambda name, p: p.ndim > 1 and name not in ("cls_token", "pos_embed")
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    groups = [{"params": [p for name, p in named if decays(name, p) == wanted], "weight_decay": 0.05 * wanted} for wanted in (True, False)]
    optimizer = torch.optim.AdamW(groups, lr=1e-6, fused=True)
    labels = torch.arange(batch) % 2

    def step():
        loss = torch.nn.functional.cross_entropy(forward(), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


trained = sys.argv[5] if len(sys.argv) > 5 else None
with torch.inference_mode() if trained is None else contextlib.nullcontext():
    if trained is None:
        run = forward
        logit = forward()[0].max().item()
    else:
        run = training_step(trained)
        run()
        logit = run()
    blas = next((line.strip(" -") for line in torch.__config__.show().split("\n") if "Math Kernel" in line or "OpenBLAS" in line), "")
    version = f"PyTorch {torch.__version__} ({blas}), timm {timm.__version__}"
    print(json.dumps({"version": version, "flop": 0, "logit": logit, "pid": os.getpid()}), flush=True)
    for line in sys.stdin:
        runs = int(line.split()[1])
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(runs):
            run()
        print(json.dumps({"seconds": (time.perf_counter() - wall) / runs, "cpuSeconds": (time.process_time() - cpu) / runs}), flush=True)
