"""Writes test/parity/llama-cpp-samplers.json: what llama.cpp's own filters make of random scores.

    python test/parity/make_llama_cpp_fixtures.py FOLDER

FOLDER has libllama and its libraries, such as `@node-llama-cpp/linux-x64/bins/linux-x64` of the npm package
`node-llama-cpp` (check-node-llama-cpp.mjs says how to get it). Calls the C interface, with no model: scores in, a chain
of samplers in llama.cpp's order, and which tokens are left with which probability.
"""

import ctypes
import json
import sys
from ctypes import CDLL, POINTER, Structure, byref, c_bool, c_float, c_int32, c_int64, c_size_t, c_uint32, c_void_p
from pathlib import Path

import numpy as np


class TokenData(Structure):
    _fields_ = [("id", c_int32), ("logit", c_float), ("p", c_float)]


class TokenArray(Structure):
    _fields_ = [("data", POINTER(TokenData)), ("size", c_size_t), ("selected", c_int64), ("sorted", c_bool)]


class ChainParams(Structure):
    _fields_ = [("no_perf", c_bool)]


def library(folder):
    for name in ["libggml-base.so", "libggml.*.so", "libllama.v*.so"]:
        found = CDLL(str(next(Path(folder).glob(name))), mode=ctypes.RTLD_GLOBAL)
    makers = dict(top_k=[c_int32], top_p=[c_float, c_size_t], min_p=[c_float, c_size_t], typical=[c_float, c_size_t],
                  temp=[c_float], temp_ext=[c_float, c_float, c_float], top_n_sigma=[c_float],
                  xtc=[c_float, c_float, c_size_t, c_uint32])
    for name, arguments in makers.items():
        maker = getattr(found, f"llama_sampler_init_{name}")
        maker.argtypes, maker.restype = arguments, c_void_p
    found.llama_sampler_chain_init.argtypes, found.llama_sampler_chain_init.restype = [ChainParams], c_void_p
    found.llama_sampler_chain_add.argtypes = [c_void_p, c_void_p]
    found.llama_sampler_apply.argtypes = [c_void_p, POINTER(TokenArray)]
    found.llama_sampler_free.argtypes = [c_void_p]
    return found


def apply(llama, samplers, logits):
    """[(token, probability)] of what is left."""
    chain = llama.llama_sampler_chain_init(ChainParams(True))
    for name, *arguments in samplers:
        llama.llama_sampler_chain_add(chain, getattr(llama, f"llama_sampler_init_{name}")(*arguments))
    data = (TokenData * len(logits))(*[TokenData(i, z, 0.0) for i, z in enumerate(logits)])
    array = TokenArray(data, len(logits), -1, False)
    llama.llama_sampler_apply(chain, byref(array))
    left = [(array.data[i].id, array.data[i].logit) for i in range(array.size)]
    llama.llama_sampler_free(chain)
    scores = np.array([z for _, z in left], dtype=np.float64)
    p = np.exp(scores - scores.max())
    p /= p.sum()
    return sorted((int(token), float(f"{x:.9g}")) for (token, _), x in zip(left, p) if x > 0)


def settings(draw):
    """Options of this package, and the samplers that they are, in llama.cpp's order."""
    yield dict(sampling=dict(topK=draw.integers(1, 20).item()))
    yield dict(sampling=dict(topP=draw.uniform(0.1, 0.99)))
    yield dict(sampling=dict(minP=draw.uniform(0.01, 0.6)))
    yield dict(sampling=dict(typicalP=draw.uniform(0.1, 0.95)))
    yield dict(sampling=dict(topNSigma=draw.uniform(0.3, 3)))
    yield dict(sampling=dict(xtc=dict(probability=1.0, threshold=draw.uniform(0.02, 0.4))))
    yield dict(sampling=dict(temperature=draw.uniform(0.2, 2)))
    yield dict(sampling=dict(temperature=draw.uniform(0.8, 1.5), dynamicTemperature=dict(range=0.5, exponent=draw.uniform(0.5, 2))))
    yield dict(sampling=dict(temperature=draw.uniform(0.3, 2), topK=draw.integers(5, 40).item(), topP=draw.uniform(0.3, 0.99)))
    yield dict(sampling=dict(temperature=draw.uniform(0.3, 2), topK=40, typicalP=draw.uniform(0.5, 0.98),
                             topP=draw.uniform(0.5, 0.99), minP=draw.uniform(0.01, 0.2)))
    yield dict(sampling=dict(temperature=0.7, topK=30, topP=0.95, minP=0.05, topNSigma=2.0))


def samplers(sampling):
    chain = []
    for name, key in [("top_n_sigma", "topNSigma"), ("top_k", "topK"), ("typical", "typicalP"), ("top_p", "topP"), ("min_p", "minP")]:
        if key in sampling:
            chain.append((name, sampling[key]) if name in ("top_n_sigma", "top_k") else (name, sampling[key], 1))
    if "xtc" in sampling:
        chain.append(("xtc", sampling["xtc"]["probability"], sampling["xtc"]["threshold"], 1, 1))
    if "dynamicTemperature" in sampling:
        dynamic = sampling["dynamicTemperature"]
        chain.append(("temp_ext", sampling["temperature"], dynamic["range"], dynamic["exponent"]))
    elif "temperature" in sampling:
        chain.append(("temp", sampling["temperature"]))
    return chain


def main(folder):
    llama = library(folder)
    draw = np.random.default_rng(7)
    entries = []
    for _ in range(12):
        for options in settings(draw):
            size = int(draw.integers(8, 50))
            logits = np.round(draw.normal(0, 2.5, size), 3).astype(np.float32)
            rounded = json.loads(json.dumps(options), parse_float=lambda x: round(float(x), 4))
            left = apply(llama, samplers(rounded["sampling"]), logits.tolist())
            entries.append(dict(rounded, logits=[round(float(z), 3) for z in logits],
                                left=[token for token, _ in left], p=[p for _, p in left]))
    lines = ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries)
    out = Path(__file__).parent / "llama-cpp-samplers.json"
    out.write_text(f'{{"library":"{next(Path(folder).glob("libllama.v*.so")).name}","cases":[\n{lines}\n]}}\n')
    print(f"{len(entries)} cases, {out.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
