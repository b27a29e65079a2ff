"""The command line: parses, calls, prints. JAX is imported by the commands, not by `--help`."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

app = typer.Typer(
    help="Train small dense networks in JAX.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# The names of the library's tables, spelled out since importing the tables imports JAX; a test compares them.
Activation = Literal["relu", "tanh", "sigmoid", "leaky_relu", "identity"]
Output = Literal["softmax", "sigmoid", "identity", "tanh"]
Loss = Literal["squared-error", "cross-entropy", "binary-cross-entropy"]
Optimizer = Literal["sgd", "momentum", "adam", "adamw"]
Schedule = Literal["constant", "cosine", "step"]
Initializer = Literal["he", "glorot", "normal"]


@app.callback()
def common() -> None:
    """Train small dense networks in JAX."""


@app.command()
def train(
    data: Annotated[
        str | None, typer.Option(help="Folder of IDX files, train.csv[,test.csv], or .npz.", show_default="MNIST")
    ] = None,
    hidden: Annotated[str, typer.Option(help="Sizes of the hidden layers, as 300,100; 'none' for none.")] = "10",
    activation: Annotated[Activation, typer.Option(help="Activation of the hidden layers.")] = "relu",
    output: Annotated[
        Output | None, typer.Option(help="Activation of the output.", show_default="softmax, or sigmoid for binary")
    ] = None,
    loss: Annotated[Loss, typer.Option(help="What is made small.")] = "squared-error",
    optimizer: Annotated[Optimizer, typer.Option(help="Optax optimiser.")] = "sgd",
    learning_rate: Annotated[float, typer.Option(help="Learning rate at the start.")] = 0.1,
    schedule: Annotated[Schedule, typer.Option(help="How the learning rate goes on.")] = "cosine",
    batch_size: Annotated[int, typer.Option(help="Examples in a step.")] = 8,
    epochs: Annotated[int, typer.Option(help="Passes over the data.")] = 3,
    init: Annotated[Initializer, typer.Option(help="How the weights are drawn.")] = "he",
    seed: Annotated[int, typer.Option(help="Seed of weights and order.")] = 0,
    device: Annotated[
        str | None, typer.Option(help="Kind of device: cpu, gpu.", show_default="the best there is")
    ] = None,
) -> None:
    """Train a network; with no option, the notebook's 784-10-10 on MNIST."""
    layers = _parse_hidden(hidden)
    import jax

    from jaxnet.data import CLASSES, load_data
    from jaxnet.network import init_params
    from jaxnet.training import fit

    if device is not None:
        jax.config.update("jax_default_device", _find_device(device))
    train_set, test_set = load_data(data)
    sizes = (train_set.inputs.shape[1], *layers, CLASSES)
    if output is None:
        output = "sigmoid" if loss == "binary-cross-entropy" else "softmax"
    typer.echo(f"{'-'.join(map(str, sizes))}, {len(train_set.labels):,} examples, {jax.devices()[0].device_kind}")
    test_accuracy = 0.0
    for epoch in fit(
        init_params(seed, sizes, init),
        train_set,
        test_set,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        learning_rate=learning_rate,
        schedule=schedule,
        hidden=activation,
        output=output,
        loss=loss,
        seed=seed,
    ):
        test_accuracy = epoch.test_accuracy
        typer.echo(
            f"epoch {epoch.number}/{epochs}  train loss {epoch.train_loss:.4f}  test loss {epoch.test_loss:.4f}  "
            f"test accuracy {100 * test_accuracy:.1f} %  {epoch.seconds:.2f} s  "
            f"{epoch.examples_per_second:,.0f} examples/s"
        )
    typer.echo(f"test accuracy {100 * test_accuracy:.1f} %")


def _parse_hidden(text: str) -> list[int]:
    if text == "none":
        return []
    try:
        sizes = [int(size) for size in text.split(",")]
    except ValueError:
        sizes = [0]
    if min(sizes) < 1:
        raise ValueError(f"--hidden is {text!r}; give sizes of 1 or more, as 300,100, or 'none'")
    return sizes


def _find_device(kind: str):
    import jax

    try:
        return jax.devices(kind)[0]
    except RuntimeError:
        present = sorted({device.platform for device in jax.devices()} | {"cpu"})
        raise ValueError(f"no device {kind!r} here; there is: {', '.join(present)}") from None


def main() -> None:
    """Run the command line; any failure that a user can mend is one line on stderr and exit status 2."""
    try:
        status = app(standalone_mode=False)
    except typer.TyperException as error:
        print(f"jaxnet: {error.format_message()}", file=sys.stderr)
        status = 2
    except ValueError as error:
        print(f"jaxnet: {error}", file=sys.stderr)
        status = 2
    if status == 130:  # what Typer makes of Ctrl-C
        print("jaxnet: interrupted", file=sys.stderr)
    sys.exit(status)
