"""Makes test/fixtures/engine/ops.json: what PyTorch (in f64) gives for every case of test/engine/cases.ts.

    npx tsx test/engine/dump-cases.ts | python scripts/make-op-references.py > test/fixtures/engine/ops.json

Needs PyTorch and NumPy (made with 2.15.0 and 2.4.6). For each case: the outputs, and the gradients
of the sum of its float outputs, each element times weight(i) of test/engine/case-graph.ts.
"""

import json
import math
import sys

import numpy as np
import torch
import torch.nn.functional as F

TYPES = {
    "f32": torch.float64,  # computed in f64, so that the reference is exact
    "f16": torch.float64,
    "i64": torch.int64,
    "i32": torch.int32,
    "i8": torch.int8,
    "u8": torch.uint8,
    "bool": torch.bool,
}
FLOATS = ("f32", "f16")


def number(x):
    return {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}.get(x, x)


def to_torch(dense):
    data = dense["data"]
    values = [data[str(i)] for i in range(len(data))] if isinstance(data, dict) else data
    array = torch.tensor([number(v) for v in values], dtype=TYPES[dense["dtype"]])
    return array.reshape(dense["shape"])


def pads(a):
    top, left, bottom, right = a["pads"]
    return (left, right, top, bottom)


def conv2d(x, w, a):
    return F.conv2d(F.pad(x, pads(a)), w, stride=a["strides"], groups=a["groups"])


def differentiate(function, zeros, dy):
    """The gradient of a linear function, itself differentiable."""
    zeros.requires_grad_(True)
    return torch.autograd.grad(function(zeros), zeros, dy, create_graph=True)[0]


def conv2d_input(dy, w, a):
    zeros = torch.zeros(dy.shape[0], w.shape[1] * a["groups"], *a["size"], dtype=dy.dtype)
    return differentiate(lambda x: conv2d(x, w, a), zeros, dy)


def conv2d_weight(x, dy, a):
    zeros = torch.zeros(dy.shape[1], x.shape[1] // a["groups"], *a["kernel"], dtype=x.dtype)
    return differentiate(lambda w: conv2d(x, w, a), zeros, dy)


def average_pool(x, a):
    return F.avg_pool2d(F.pad(x, pads(a)), a["kernel"], a["strides"])


def average_pool_gradient(dy, a):
    zeros = torch.zeros(*dy.shape[:2], *a["size"], dtype=dy.dtype)
    return differentiate(lambda x: average_pool(x, a), zeros, dy)


def reduce(function):
    return lambda i, a: function(i[0], dim=tuple(a["axes"]), keepdim=a["keepDims"])


def matmul(i, a):
    x, y = i
    x = x.mT if a["transA"] else x
    y = y.mT if a["transB"] else y
    return a["alpha"] * (x @ y)


def layer_norm(i, a):
    x, scale, bias = i
    mean = x.mean(-1, keepdim=True)
    rstd = 1 / torch.sqrt(x.var(-1, keepdim=True, correction=0) + a["epsilon"])
    return F.layer_norm(x, x.shape[-1:], scale, bias, a["epsilon"]), mean, rstd


def first_largest(x, axis, k):
    """Stable: of equal elements the earlier one comes first."""
    order = torch.argsort(x, dim=axis, descending=True, stable=True)
    return order.narrow(axis, 0, k)


def top_k(i, a):
    places = first_largest(i[0], a["axis"], a["k"])
    return torch.gather(i[0], a["axis"], places), places.int()


def arg_max(i, a):
    place = first_largest(i[0], a["axis"], 1).int()
    return place if a["keepDims"] else place.squeeze(a["axis"])


def cumulative_sum(i, a):
    x, axis = i[0], a["axis"]
    return x.flip(axis).cumsum(axis).flip(axis) if a["reverse"] else x.cumsum(axis)


def take(i, a):
    data, indices = i
    axis = a["axis"]
    flat = torch.index_select(data, axis, indices.long().reshape(-1) % data.shape[axis])
    return flat.reshape(*data.shape[:axis], *indices.shape, *data.shape[axis + 1 :])


def slices(i, a):
    x = i[0]
    for start, end, axis in zip(a["starts"], a["ends"], a["axes"]):
        x = x.narrow(axis, start, end - start)
    return x


def pad(i, a):
    both = [p for pair in zip(a["before"], a["after"]) for p in pair]
    order = [p for at in range(len(both) - 2, -1, -2) for p in both[at : at + 2]]
    return F.pad(i[0], order, value=a["value"])


def one_hot(i, a):
    hit = i[0].unsqueeze(-1) == torch.arange(a["depth"])
    return hit.to(TYPES[a["dtype"]])


def divide(i, _):
    x, y = i
    return x / y if x.is_floating_point() else torch.div(x, y, rounding_mode="trunc")


def dynamic_quantize_matmul(i, _):
    a, b, scale = (t.detach().numpy() for t in i)
    low = min(0.0, a.min())
    step = (max(0.0, a.max()) - low) / 255
    zero = np.round(-low / step)
    quantised = np.clip(np.round(a / step) + zero, 0, 255)
    return torch.tensor((quantised - zero) @ b.astype(np.float64) * step * scale)


def block_quantized_matmul(i, a):
    x, b, scale = (t.detach() for t in i)
    if b.shape[2] == a["block"]:
        steps = b.double() - 128
    else:
        steps = torch.stack([b & 15, b >> 4], -1).reshape(b.shape[0], -1, a["block"]).double() - 8
    matrix = (steps * scale.double().reshape(b.shape[0], -1, 1)).reshape(b.shape[0], -1)
    return x.double() @ matrix[:, : x.shape[-1]].mT


def quantize(i, _):
    return torch.clamp(torch.round(i[0].detach() / i[1].detach()), -128, 127).to(torch.int8)


def shift(i, a):
    return ((i[0].long() & 0xFFFFFFFF) >> a["bits"]).int()


def cast(i, a):
    return i[0].to(TYPES[a["dtype"]])


def constant(_, a):
    if a["dtype"] == "f16":
        data = np.array(a["data"], dtype=np.uint16).view(np.float16).astype(np.float64)
        return torch.tensor(data).reshape(a["shape"])
    return to_torch(a)


def plain_call(f):
    return lambda i, _: f(*i)


OPS = {
    "input": lambda i, a: i[0],
    "parameter": lambda i, a: i[0],
    "constant": constant,
    "full": lambda i, a: torch.full(a["shape"], number(a["value"]), dtype=TYPES[a["dtype"]]),
    "iota": lambda i, a: torch.arange(a["length"], dtype=torch.int32),
    "dimension": lambda i, a: torch.tensor(a["size"], dtype=torch.int32),
    "neg": plain_call(torch.neg),
    "abs": plain_call(torch.abs),
    "exp": plain_call(torch.exp),
    "log": plain_call(torch.log),
    "sqrt": plain_call(torch.sqrt),
    "reciprocal": plain_call(torch.reciprocal),
    "erf": plain_call(torch.erf),
    "tanh": plain_call(torch.tanh),
    "sigmoid": plain_call(torch.sigmoid),
    "relu": plain_call(torch.relu),
    "gelu": plain_call(F.gelu),
    "softplus": plain_call(F.softplus),
    "sign": plain_call(torch.sign),
    "floor": plain_call(torch.floor),
    "round": plain_call(torch.round),
    "sin": plain_call(torch.sin),
    "cos": plain_call(torch.cos),
    "clip": lambda i, a: torch.clamp(i[0], number(a["min"]), number(a["max"])),
    "not": plain_call(torch.logical_not),
    "isFinite": plain_call(torch.isfinite),
    "cast": cast,
    "stopGradient": lambda i, a: i[0].detach(),
    "add": plain_call(torch.add),
    "sub": plain_call(torch.sub),
    "mul": plain_call(torch.mul),
    "div": divide,
    "pow": plain_call(torch.pow),
    "minimum": plain_call(torch.minimum),
    "maximum": plain_call(torch.maximum),
    "equal": plain_call(torch.eq),
    "less": plain_call(torch.lt),
    "lessOrEqual": plain_call(torch.le),
    "greater": plain_call(torch.gt),
    "greaterOrEqual": plain_call(torch.ge),
    "and": plain_call(torch.logical_and),
    "or": plain_call(torch.logical_or),
    "where": plain_call(torch.where),
    "bitwiseAnd": plain_call(torch.bitwise_and),
    "bitwiseXor": plain_call(torch.bitwise_xor),
    "shiftRight": shift,
    "matmul": matmul,
    "reduceSum": reduce(torch.sum),
    "reduceMean": reduce(torch.mean),
    "reduceMax": reduce(torch.amax),
    "reduceMin": reduce(torch.amin),
    "argMax": arg_max,
    "softmax": lambda i, a: torch.softmax(i[0], a["axis"]),
    "logSoftmax": lambda i, a: torch.log_softmax(i[0], a["axis"]),
    "layerNorm": layer_norm,
    "cumulativeSum": cumulative_sum,
    "topK": top_k,
    "reshape": lambda i, a: i[0].reshape(a["shape"]),
    "transpose": lambda i, a: i[0].permute(a["permutation"]),
    "expand": lambda i, a: i[0].expand(a["shape"]),
    "slice": slices,
    "split": lambda i, a: torch.split(i[0], a["sizes"], a["axis"]),
    "concat": lambda i, a: torch.cat(i, a["axis"]),
    "pad": pad,
    "gather": take,
    "gatherElements": lambda i, a: torch.gather(
        i[0], a["axis"], i[1].long() % i[0].shape[a["axis"]]
    ),
    "scatterAddElements": lambda i, a: i[0].scatter_add(
        a["axis"], i[1].long() % i[0].shape[a["axis"]], i[2]
    ),
    "oneHot": one_hot,
    "conv2d": lambda i, a: conv2d(*i, a),
    "conv2dInputGradient": lambda i, a: conv2d_input(*i, a),
    "conv2dWeightGradient": lambda i, a: conv2d_weight(*i, a),
    "averagePool2d": lambda i, a: average_pool(*i, a),
    "averagePool2dGradient": lambda i, a: average_pool_gradient(*i, a),
    "dynamicQuantizeMatmul": dynamic_quantize_matmul,
    "blockQuantizedMatmul": block_quantized_matmul,
    "quantizeLinear": quantize,
    "dequantizeLinear": lambda i, a: i[0].double()
    * i[1].detach().reshape([-1] + [1] * (i[0].dim() - 1) if i[1].dim() else []),
}


def weight(i):
    return ((i * 7) % 11 - 5) / 4 + 0.125


def listed(t):
    def plain(x):
        return x if not isinstance(x, float) or math.isfinite(x) else str(x)

    spelled = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}
    numbers = (plain(x) for x in t.detach().reshape(-1).tolist())
    return {
        "shape": list(t.shape),
        "data": [spelled.get(x, x) if isinstance(x, str) else x for x in numbers],
    }


def reference(op, case):
    inputs = [to_torch(x) for x in case["inputs"]]
    for x in inputs:
        x.requires_grad_(x.is_floating_point())
    result = OPS[op](inputs, case["attributes"])
    outputs = list(result) if isinstance(result, (tuple, list)) else [result]
    floats = [y for y in outputs if y.is_floating_point()]
    total = sum(
        (y.reshape(-1) * torch.tensor([weight(j + k) for j in range(y.numel())], dtype=y.dtype)).sum()
        for k, y in enumerate(floats)
    )
    gradients = None
    if floats and total.requires_grad:
        wanted = [x for x in inputs if x.requires_grad]
        made = torch.autograd.grad(total, wanted, allow_unused=True)
        gradients = [listed(torch.zeros_like(x) if g is None else g) for x, g in zip(wanted, made)]
    return {**case, "outputs": [listed(y) for y in outputs], "gradients": gradients}


def main():
    cases = json.load(sys.stdin)
    result = {op: [reference(op, case) for case in group] for op, group in cases.items()}
    lines = ",\n".join(
        f"{json.dumps(op)}: [\n" + ",\n".join(json.dumps(r) for r in group) + "\n]"
        for op, group in result.items()
    )
    print("{\n" + lines + "\n}")


main()
