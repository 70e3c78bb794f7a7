"""PyTorch's times for the same work, one thread. Reads {"work", "budget"} a line, answers {"name": timing} a line."""

import json
import math
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

torch.set_num_threads(1)


def numbers(count, seed, scale=1.0):
    """Uniform numbers, as works.ts draws them."""
    state = seed
    out = []
    for _ in range(count):
        state ^= (state << 13) & 0xFFFFFFFF
        state ^= state >> 17
        state ^= (state << 5) & 0xFFFFFFFF
        out.append((state / 2**31 - 1) * scale)
    return torch.tensor(out)


GEMMS = {
    "gemm512": (512, 512, 512),
    "gemm64x128x64": (64, 128, 64),
    "gemm63x127x65": (63, 127, 65),
    "gemm100": (100, 100, 100),
    "gemm101": (101, 101, 101),
}


def network():
    model = nn.Sequential(
        nn.Conv2d(3, 32, 5, padding=2),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 5, padding=2),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 5, padding=2),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(1024, 64),
        nn.Linear(64, 10),
    )
    layers = [m for m in model if hasattr(m, "weight")]
    with torch.no_grad():
        for layer, seed in zip(layers, (11, 21, 31, 71, 81)):
            bound = 1 / math.sqrt(layer.weight[0].numel())
            layer.weight.copy_(numbers(layer.weight.numel(), seed, bound).reshape(layer.weight.shape))
            layer.bias.copy_(numbers(layer.bias.numel(), seed + 1, bound))
    return model


def prepare(work, layout):
    if work in GEMMS:
        n, k, m = GEMMS[work]
        a, b = numbers(n * k, 1).reshape(n, k), numbers(k * m, 2).reshape(k, m)
        return lambda: (a @ b)[0, 0].item()
    if work in ("relu", "maxPool"):
        x = numbers(64 * 32 * 32 * 32, 7).reshape(64, 32, 32, 32).to(memory_format=layout)
        once = F.relu if work == "relu" else lambda x: F.max_pool2d(x, 2)
        return lambda: once(x)[0, 0, 0, 0].item()
    batch = 1 if work == "step1" else 64
    model = network().to(memory_format=layout)
    x = numbers(batch * 3 * 32 * 32, 3).reshape(batch, 3, 32, 32).to(memory_format=layout)
    if work == "forward64":
        def forward():
            with torch.no_grad():
                return model(x).sum().item()
        return forward
    y = ((numbers(batch, 5) + 1) * 5).floor().clamp(max=9).long()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

    def step():
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def measure(run, budget):
    answer = run()
    for _ in range(2):
        run()
    times, end = [], time.perf_counter() + budget / 1000
    while len(times) < 200 and (len(times) < 3 or time.perf_counter() < end):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1000)
    return {"median": statistics.median(times), "least": min(times), "runs": len(times), "answer": answer}


print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    work, budget = asked["work"], asked["budget"]
    answers = {"PyTorch": measure(prepare(work, torch.contiguous_format), budget)}
    if work not in GEMMS:
        answers["PyTorch channels_last"] = measure(prepare(work, torch.channels_last), budget)
    print(json.dumps(answers), flush=True)
