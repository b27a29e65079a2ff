"""What the names in hand-written networks mean: which are weights, gradients, data, sizes; which functions do what."""

from __future__ import annotations

import re
from typing import NamedTuple

_WEIGHT = r"w|ws|wt|wts|weights?|weightmatrix|theta|thetas|syn|synapses?|synapticweights?|kernels?|filters?|coefs?"
_BIAS = r"b|bs|bias|biases|biais|intercepts?"
_PLACE = (
    r"(?:input|output|hidden|layers?|inp|out|first|second|third|last|final|matrix|mat|one|two|three|list|hid|"
    r"to|in|ih|ho|hh|h|o|i|l|x|y|z|f|\d+)*"
)
_BEFORE = (
    r"(?:d(?:l|j|c|e|loss|cost|error)?d|d(?:loss|cost|error|j|l|c)|gradients?(?:of|for|wrt)?|grads?(?:wrt)?|nabla|"
    r"delta|deriv(?:ative)?s?|del|partial|updates?|adjust(?:ment)?s?|d|g)"
)
_AFTER = r"(?:gradients?|grads?|gs|deriv(?:ative)?s?|deltas?|errors?|updates?|adjust(?:ment)?s?|change)"
_PARAMETER = re.compile(
    rf"(?P<before>{_BEFORE})??(?P<place1>{_PLACE})(?:(?P<weight>{_WEIGHT})|(?P<bias>{_BIAS}))"
    rf"(?P<place2>{_PLACE})(?P<after>{_AFTER})?"
)
_GRADIENT = re.compile(rf"(?P<before>{_BEFORE})?_?(?P<name>.*?)_?(?P<after>{_AFTER})?")


class Named(NamedTuple):
    """A name read as that of a parameter or of its gradient."""

    kind: str  # W or b
    place: str  # the rest of it: 1 of W1, dW1, grad_w1
    gradient: bool


def squeezed(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def read_name(name: str) -> Named | None:
    """The parameter that a name speaks of (W1, b2, weights_ho, dW1, nabla_b, W1_grad), or None."""
    found = _PARAMETER.fullmatch(squeezed(name))
    if found is None:
        return None
    place = found["place1"] + found["place2"]
    return Named("W" if found["weight"] else "b", place, bool(found["before"] or found["after"]))


def gradient_of(name: str) -> str | None:
    """What a name is the gradient of: gamma of dgamma, grad_gamma and gamma_gradient; None if it is of nothing."""
    found = _GRADIENT.fullmatch(squeezed(name))
    return found["name"] if found and (found["before"] or found["after"]) else None


_NUMBER_OF = r"(?:n|num|no|number|nb)_?(?:of_?)?"
_SIZE = (
    r"_?(?:size|dim|dims|d|dimension|nodes?|neurons?|units?|layer|layer_?size|length|len|shape|count|n|num|features)s?"
)

# What an argument means, most telling first; names are in lower case.
_MEANINGS = [
    (r"learning_?rate|lr|eta|alpha|step_?size|rate|l_?rate|learn_?rate|gradient_?step|lrate|epsilon", "rate"),
    (r"lambd|lambda_?|lmbda|lam|l[12]|l2_?\w*|reg\w*|penalty|\w*decay|lambda_\w+", "nothing"),
    (r"momentum|beta_?\d?|mu|gamma|drop_?out\w*|drop_?prob|p_?drop|rho|noise", "nothing"),
    (r"keep_?prob\w*|p_?keep|temperature", "one"),
    (r"\w*epochs?|\w*iter(ation)?s?(_?num(ber)?)?|(n_?|num_?)?steps|times", "count"),
    (r"verbose|print\w*|debug|show\w*|plot\w*|log\w*|display|info", "false"),
    (r"seed|random_?(seed|state)", "seed"),
    (r"mode|training|is_?train(ing)?|train|save\w*|store\w*|keep_?(cache|input)", "true"),
    (r"name", "word"),
    (r"(training|train|test|val(idation)?|eval\w*)_?(data|set|samples)|mini_?batch|dataset", "pairs"),
    (r"y_?true|true\w*|actual\w*|truth|ground_?truth|gt|one_?hot\w*|y_?(one_?hot|oh|enc\w*)", "Y"),
    (r"\w*(labels?|targets?|expected|desired|correct|answers?)\w*|t", "Y"),
    (r"(training|train|test|val|batch)(_set)?_?(y|outputs?)", "Y"),
    (r"y_?(train|test|val\w*|dev|batch|b|mini|data|tr|real|i|s|t)?|ys", "Y"),
    (r"y_?(hat|pred\w*|prob\w*|out\w*|h|p|proba|final)|yhat|pred\w*|hypothesis|al|a_?(l|last|out|final)", "P"),
    (r"(final_|net(work)?_?)?out(put)?s?(_activations?)?|o|h|p", "P"),
    (r"probs?|probabilit\w+|guess|forecasts?|estimate\w*|results?|scores", "P"),
    (r"n_?x|nx|n_?in(puts?)?|n_?0|d|d_?in|in_?(d|dim|size|features|nodes)|features|inodes|ninputs?", "inputs"),
    (rf"(input|in|inp|x)_?(layer_?)?{_SIZE}|{_NUMBER_OF}(in|inputs?|input_?\w+|features|pixels)", "inputs"),
    (r"fan_?in|channels_in", "inputs"),
    (r"n_?y|ny|n_?out(puts?)?|d_?out|out_?(d|dim|size|features|nodes)|onodes|c|k|noutputs?", "outputs"),
    (r"classes|n_?c|fan_?out|channels_out", "outputs"),
    (rf"(output|out|y)_?(layer_?)?{_SIZE}|(neurons|nodes|units)_?(num(ber)?|count|nr|n)", "outputs"),
    (rf"{_NUMBER_OF}(out|outputs?|output_?\w+|class(es)?|labels|categories|neurons|units|nodes)", "outputs"),
    (r"hidden_?(layers?|sizes|dims|layer_?sizes|layer_?dims)|hiddens", "hidden"),
    *[(rf"(n_?h|h|(n_|num_)?hidden(_?layer)?)_?{k}({_SIZE})?|hidden{_SIZE}_?{k}", f"hidden{k}") for k in (3, 2, 1)],
    (r"h|n_?h|nh|hidden|(nn_?)?hdim|hnodes|nhidden", "hidden1"),
    (rf"(hidden|h|hid)_?(layer_?)?{_SIZE}|{_NUMBER_OF}(h|hid|hidden|hidden_?\w+)", "hidden1"),
    (r"layers?_?(dims?|sizes?|shapes?|nodes|units|structure|list|neurons|dimensions?|config)|layer_?s|layers", "sizes"),
    (r"sizes?|dims?|dimensions?|architecture|arch|topology|structure|shape|units|neurons|nodes|ns", "sizes"),
    (r"(nn|net(work)?|model)_?(structure|arch\w*|shape|sizes?|dims?|layers|layout|config)", "sizes"),
    (r"n?_?l|num_?layers|n_?layers|number_of_layers|depth", "depth"),
    (r"m|n_?(samples|examples|data|points|train)|num_?(samples|examples|data|points|train)", "m"),
    (r"m_\w+|(mini_?)?batch_?(size|len)|bs|sample_?size|number_of_(samples|examples)|n|data_?size", "m"),
    (r"grads|gradients", "gradients"),
    (r"param(eter)?s?\w*|weights_?(and_)?bias\w*|theta|thetas|model|coeffs|wb|p|w_?b", "parameters"),
    (r"d[a-z]|d_?(l|z|a|y|next|h|up|loss|prev|values?|vals?|out\w*|act\w*|logits)", "upstream"),
    (r"dl_?d?\w+|delta\w*|up_?stream\w*", "upstream"),
    (r"\w*grad(ient)?s?(_?\w+)?|\w*errors?|prev_g|next_g|g|error_\w+", "upstream"),
    (r"\w*cache\w*|memory|forward_?\w*|fwd\w*|ff\w*|feed\w*", "cache"),
    (r"activations|states?|store|intermediate\w*|saved|ctx|values|c", "cache"),
    (r"(x|xs|inputs?|features?|samples?|data\w*|images?|imgs?|inp|a_?0|a_?prev|xx|pixels|z|s|a)_?", "X"),
    (r"x_?(train|test|val\w*|dev|batch|in|inputs?|data|b|mini|norm|flat|s|i|t|tr)\w*", "X"),
    (r"(training|batch|mini_?batch)_?x", "X"),
    (r"inputs?_?(data|s|vector|array|layer|batch|list|values|matrix|x)|batch|train\w*_?(x|inputs|images)", "X"),
]  # fmt: skip
_COMPILED = [(re.compile(pattern), meaning) for pattern, meaning in _MEANINGS]
SIZES = {"inputs", "outputs", "hidden", "hidden1", "hidden2", "hidden3", "sizes", "depth"}


def meanings(name: str, building: bool = False) -> list[str]:
    """What an argument of this name can mean, likeliest first; `building`: of a constructor or initialiser."""
    plain = name.strip("_").lower()
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).strip("_").lower()  # trainingData is training_data
    spelled = [[meaning for pattern, meaning in _COMPILED if pattern.fullmatch(word)] for word in (plain, snake)]
    found = spelled[0] or spelled[1]
    if building and plain.removesuffix("s") in ("input", "output"):
        found.insert(0, plain.removesuffix("s") + "s")
    if not building and name == "N":
        found.insert(0, "m")
    found.sort(
        key=lambda meaning: (
            (meaning in SIZES) != building and (meaning in SIZES or meaning in "PmXcachehiddenparameters")
        )
    )
    return list(dict.fromkeys(found))


_ROLES = [  # the first that is found is it: a train_step does all, a backward_propagation is no update
    ("no", r"check|numeric|approx|clip|plot|print|history|accuracy|evaluate|test|load|save|one_?hot|normali[sz]e$"),
    ("train", r"^(train|fit|learn|main|model|run|sgd|optimi[sz]e)|_(model|train|fit)$|train_|gradient_?descent"),
    ("zero", r"zero|reset|clear"),
    ("init", r"init|param.*(create|make)|(create|make|build|setup).*(param|weight|net)|random.*weight"),
    ("backward", r"back|bprop|^_?gradients?$|grads?$|nabla|^bp$|compute_?grad|_grad(ient)?$"),
    ("backward", r"prime$|deriv|^d_[a-z]+$|_d$|^d(relu|sigmoid|tanh|softmax|act\w*|loss|cost)$"),
    ("update", r"update|^_?step$|apply|descent|optimi[sz]e|adjust"),
    ("loss", r"loss|cost|cross_?entropy|mse|bce|^ce$|objective|^j$|error|nll|squared|criterion|log_?likelihood"),
    ("forward", r"forward|feed_?f|fprop|fwd|propagat|^ff$|^_?_?call_?_?$|compute|activate"),
    ("forward", r"predict|think|query|infer|^run|model$|^net"),
]  # fmt: skip


def role(name: str) -> str:
    """What a function of this name does: train, init, forward, loss, backward, update, zero, or no for none of it."""
    plain = name.strip("_").lower() if name != "__call__" else "call"
    return next((role for role, pattern in _ROLES if re.search(pattern, plain)), "no")
