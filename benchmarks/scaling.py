"""What splitting a step over devices and processes costs here, and what it would bring on GPUs, by calculation.

    python benchmarks/benchmark.py --scaling

Devices that share this machine's cores add no speed, so what can be measured here is the price: how long the sum of the
gradients over devices takes, and how the step's time goes with the number of devices. What many GPUs would bring is
calculated from their maker's figures by `calculated_step`.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from typing import Any

NETWORKS = [((784, 128, 10), 128), ((784, 512, 512, 10), 512)]
STEPS, ROUNDS = 30, 5


# Of an NVIDIA H100, from its data sheet: 495 TFLOP/s of dense TF32, of which 40 % is taken here, and NVLink with
# 450 GB/s in each direction; between machines of 8, one adapter of 400 Gb/s for each GPU. Of both 80 % is taken. The
# rest is estimated: 60 µs that no smaller share makes less (launches of kernels), and the shortest all-reduce.
FLOPS, LAUNCHES = 0.4 * 495e12, 60e-6
LINK, LINK_LATENCY = 0.8 * 450e9, 20e-6
ADAPTER, ADAPTER_LATENCY = 0.8 * 50e9, 40e-6
GPUS_OF_A_MACHINE = 8
COUNTS = (1, 2, 4, 8, 64, 256)  # the last: 32 machines
CALCULATED = [((784, 10, 10), 8), ((784, 512, 512, 10), 8192), ((784, 4096, 4096, 10), 8192)]


def step_flops(sizes: tuple[int, ...], examples: int) -> float:
    """Two for each weight and example forward, four backward, less the product for the inputs' gradient."""
    weights = [i * o for i, o in pairwise(sizes)]
    return examples * (6 * sum(weights) - 2 * weights[0])


def gradient_bytes(sizes: tuple[int, ...]) -> float:
    return 4.0 * sum((i + 1) * o for i, o in pairwise(sizes))


def calculated_step(devices: int, sizes: tuple[int, ...], batch_size: int) -> float:
    """Seconds of a step on so many GPUs: launches + FLOPs / (N · rate) + all-reduce of the gradients.

    The all-reduce of b bytes in a machine of n GPUs takes 2 (n − 1)/n · b / link + latency (Patarasuk and Yuan 2009),
    and over M machines 2 (M − 1)/M · b/n / adapter + latency more, as each adapter carries an n-th. Nothing is taken
    to overlap, so this is an upper bound.
    """
    bytes_, local = gradient_bytes(sizes), min(devices, GPUS_OF_A_MACHINE)
    machines = devices // local
    seconds = LAUNCHES + step_flops(sizes, batch_size) / devices / FLOPS
    if local > 1:
        seconds += 2 * (local - 1) / local * bytes_ / LINK + LINK_LATENCY
    if machines > 1:
        seconds += 2 * (machines - 1) / machines * bytes_ / local / ADAPTER + ADAPTER_LATENCY
    return seconds


def calculated_table() -> str:
    """How many times as many examples a second so many GPUs train as one does, as Markdown."""
    lines = [
        "| by calculation | " + " | ".join(f"{count} GPU{'s' * (count > 1)}" for count in COUNTS) + " |",
        "| --- " * (len(COUNTS) + 1) + "|",
    ]
    for sizes, batch_size in CALCULATED:
        one = calculated_step(1, sizes, batch_size)
        strong = [one / calculated_step(n, sizes, batch_size) if batch_size % n == 0 else None for n in COUNTS]
        weak = [n * one / calculated_step(n, sizes, n * batch_size) for n in COUNTS]
        for speedups, what in ((strong, f"batch {batch_size:,}"), (weak, f"batch {batch_size:,} a GPU")):
            cells = ["–" if speedup is None else f"{speedup:.3g}×" for speedup in speedups]
            lines += [f"| {'-'.join(map(str, sizes))}, {what} | " + " | ".join(cells) + " |"]
    return "\n".join(lines)


def measure(devices: int, processes: int, what: str = "steps") -> Any:
    """What `measure_steps` or `measure_input` returns where there are so many devices and processes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    environment = os.environ | {"JAX_NUM_CPU_DEVICES": str(devices // processes), "JAX_PLATFORMS": "cpu"}
    running = [
        subprocess.Popen(
            [sys.executable, __file__, what, address, str(processes), str(process)],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        for process in range(processes)
    ]  # fmt: skip
    outputs = [process.communicate()[0] for process in running]
    return json.loads(outputs[0].splitlines()[-1])


def measure_input(address: str, processes: int, process: int) -> float:
    """Examples a second that the host reads from a file, shuffles and lays on the devices, with no training beside."""
    import jax
    import numpy as np

    import jaxnet
    from jaxnet.batches import parts
    from jaxnet.data import Dataset
    from jaxnet.devices import make_mesh

    train, _ = jaxnet.load_data()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x_train.npy")
        np.save(path, np.tile(train.inputs, (10, 1)))
        dataset = Dataset(np.load(path, mmap_mode="r"), np.tile(train.labels, 10))
        rates = []
        for epoch in range(ROUNDS):
            started, examples = time.perf_counter(), 0
            begun = epoch * (len(dataset.labels) // 1024)
            for part in parts(
                dataset, make_mesh(jax.devices()), seed=0, batch_size=1024, begun=begun, epochs=epoch + 1
            ):
                examples += (part.stop - part.first) * 1024
                jax.block_until_ready(part.dataset)
            rates.append(examples / (time.perf_counter() - started))
    return statistics.median(rates)


def measure_steps(address: str, processes: int, process: int) -> dict[str, dict[str, float]]:
    """Seconds of a step, of the same batch and of one that grows with the devices, and of the gradients' sum alone."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    import jaxnet
    from jaxnet.batches import epoch_batches
    from jaxnet.devices import make_mesh, place, place_state

    if processes > 1:
        jax.distributed.initialize(address, processes, process)
    mesh = make_mesh(jax.devices())
    count = len(jax.devices())
    train, _ = jaxnet.load_data()
    loss, optimizer = jaxnet.make_loss(), jaxnet.make_optimizer()

    def median(action) -> float:
        action()
        seconds = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            action()
            seconds.append((time.perf_counter() - started) / STEPS)
        return statistics.median(seconds)

    def step(sizes: tuple[int, ...], batch_size: int) -> float:
        rows = np.resize(epoch_batches(0, 1, len(train.labels), batch_size), (STEPS, batch_size))

        dataset = jax.tree.map(lambda array: place(array[rows], mesh, None, "batch"), train)
        state = [place_state(jaxnet.init_state(jaxnet.init_params(0, sizes), optimizer), mesh)]

        def action() -> None:
            state[0], losses = jaxnet.train_steps(state[0], dataset, None, 0, STEPS, loss=loss, optimizer=optimizer)
            losses.block_until_ready()

        return median(action)

    def exchange(sizes: tuple[int, ...]) -> float:
        numbers = int(gradient_bytes(sizes)) // 4
        parts = place(np.ones((count, numbers), np.float32), mesh, "batch")
        whole = jax.NamedSharding(mesh, jax.P())

        @jax.jit
        def sums(parts):
            def body(_, value):
                total = jax.lax.with_sharding_constraint((parts + value[0] * 1e-9).sum(axis=0), whole)
                return total / count

            return jax.lax.fori_loop(0, STEPS, body, jnp.zeros(numbers))

        return median(lambda: sums(parts).block_until_ready())

    return {
        f"{'-'.join(map(str, sizes))}, batch {batch_size}": {
            "strong": step(sizes, batch_size),
            "weak": step(sizes, batch_size * count),
            "exchange": exchange(sizes),
        }
        for sizes, batch_size in NETWORKS
    }


def measure_scaling() -> dict[str, Any]:
    """Seconds by devices and network, and the rate of the input for eight devices."""
    results = {}
    for devices, processes in ((1, 1), (2, 1), (4, 1), (2, 2), (4, 4)):
        results[f"{devices} device{'s' * (devices > 1)}, {processes} process{'es' * (processes > 1)}"] = measure(
            devices, processes
        )
    return {"steps": results, "input_examples_per_second": measure(8, 1, "input")}


def scaling_text(scaling: dict[str, Any]) -> str:
    results, lines = scaling["steps"], []
    for network in next(iter(results.values())):
        lines += [
            "",
            f"{network}: µs a step",
            f"{'':26}{'same batch':>12}{'batch × devices':>18}{'sum of gradients':>18}",
        ]
        for name, networks in results.items():
            strong, weak, exchange = (1e6 * seconds for seconds in networks[network].values())
            lines += [f"{name:26}{strong:12,.0f}{weak:18,.0f}{exchange:18,.0f}"]
    rate = scaling["input_examples_per_second"]
    lines += ["", f"input for 8 devices: {rate:,.0f} examples/s read, shuffled and placed, with no training beside"]
    return "\n".join([*lines, "", calculated_table()])


if __name__ == "__main__":
    measured = {"steps": measure_steps, "input": measure_input}[sys.argv[1]]
    print(json.dumps(measured(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
