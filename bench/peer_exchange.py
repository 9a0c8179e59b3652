# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of `sskit bench RECIPE --export FILE` in PyTorch: weights into the peer's model, the step's batch
and random draws, and what sskit made of them."""
import json
import struct

import numpy
import torch

TYPES = {"F32": numpy.float32, "F64": numpy.float64}


class Step:
    """A safetensors file: `self[name]` is a tensor, `self.metadata` the texts."""

    def __init__(self, path):
        with open(path, "rb") as file:
            content = file.read()
        size, = struct.unpack("<Q", content[:8])
        self.entries = json.loads(content[8:8 + size])
        self.metadata = self.entries.pop("__metadata__")
        self.body = content[8 + size:]

    def __getitem__(self, name):
        entry = self.entries[name]
        begin, end = entry["data_offsets"]
        values = numpy.frombuffer(self.body[begin:end], TYPES[entry["dtype"]])
        return torch.from_numpy(values.astype(numpy.float32).reshape(entry["shape"]))

    def names(self, prefix):
        return [name for name in self.entries if name.startswith(prefix)]


# Where a parameter of the peer has another name, or another layout, than sskit's.
RENAMED = {".stack.": ".", ".norm1.weight": ".norm1.gain", ".norm2.weight": ".norm2.gain",
           ".gru.weight_ih_l0": ".gru.layer0.Wx", ".gru.weight_hh_l0": ".gru.layer0.Wh",
           ".gru.bias_ih_l0": ".gru.layer0.bx", ".gru.bias_hh_l0": ".gru.layer0.bh"}
ENDINGS = {".weight": ".W", ".bias": ".b"}


def from_sskit(name, parameter, get):
    """The value of the peer's parameter `name`; `get` looks a weight of sskit up."""
    for mine, theirs in RENAMED.items():
        name = name.replace(mine, theirs)
    for word in ("block", "layer"):  # block.0 -> block0
        parts = name.split(".")
        while word in parts:
            at = parts.index(word)
            parts[at:at + 2] = [word + parts[at + 1]]
        name = ".".join(parts)
    name = name.replace(".net.", ".net.block")
    for part in ("W", "b", "point"):  # of the convolutions: W.0 -> layer0.W
        for i in range(8):
            name = name.replace(f".time.{part}.{i}", f".time.layer{i}.{part}")
    transposed = name.endswith((".weight", ".Wx", ".Wh"))
    if ".norm" not in name:
        for mine, theirs in ENDINGS.items():
            if name.endswith(mine):
                name = name[:-len(mine)] + theirs
    if ".qkv." in name:
        value = torch.cat([get(name.replace(".qkv.", f".{part}.")) for part in "qkv"], -1)
    else:
        value = get(name)
    return (value.t() if transposed else value).reshape(parameter.shape)


def load_weights(model, step):
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(from_sskit(name, parameter, lambda n: step["weights/" + n]))
        for name, buffer in model.named_buffers():
            buffer.copy_(step["weights/" + name])


def draws_of(model, step):
    """The random numbers of the exported step, as Model.draws gives them."""
    noise = step["draws/model.encoder/paths/0"]
    return noise, model.initial.draws_from(step), model.transition.draws_from(step)


PARTS = ("summary", "encoder", "emission", "initial", "transition")


def counts(model):
    return {part: sum(p.numel() for p in getattr(model, part).parameters()) for part in PARTS}
