"""What the names in hand-written networks mean: which are weights, gradients, inputs, targets, sizes, rates."""

from __future__ import annotations

import re
from typing import NamedTuple

_WEIGHT = r"w|ws|wt|wts|weights?|weightmatrix|theta|thetas|syn|synapses?|synapticweights?|kernels?|coefs?"
_BIAS = r"b|bs|bias|biases|intercepts?"
_PLACE = (
    r"(?:input|output|hidden|layers?|inp|out|first|second|third|last|final|matrix|mat|one|two|three|list|hid|"
    r"to|in|ih|ho|hh|h|o|i|l|x|y|z|f|\d+)*"
)
_BEFORE = (
    r"(?:d(?:l|j|c|e|loss|cost|error)?d|d(?:loss|cost|error|j|l|c)|gradients?(?:of|for)?|grads?|nabla|delta|"
    r"deriv(?:ative)?s?|del|partial|updates?|adjust(?:ment)?s?|d|g)"
)
_AFTER = r"(?:gradients?|grads?|gs|deriv(?:ative)?s?|deltas?|errors?|updates?|adjust(?:ment)?s?|change)"
_PARAMETER = re.compile(
    rf"(?P<before>{_BEFORE})??(?P<place1>{_PLACE})(?:(?P<weight>{_WEIGHT})|(?P<bias>{_BIAS}))"
    rf"(?P<place2>{_PLACE})(?P<after>{_AFTER})?"
)


class Named(NamedTuple):
    """A name read as that of a parameter or of its gradient."""

    kind: str  # W or b
    number: int | None
    identity: str  # the same for a parameter and for its gradient: 'W1' for W1, dW1, grad_w1
    gradient: bool


def read_name(name: str) -> Named | None:
    """The parameter that a name speaks of (W1, self.b2, weights_ho, dW1, nabla_b, W1_grad), or None."""
    squeezed = re.sub(r"[^a-z0-9]", "", name.lower().removeprefix("self."))
    found = _PARAMETER.fullmatch(squeezed)
    if found is None:
        return None
    kind = "W" if found["weight"] else "b"
    place = found["place1"] + found["place2"]
    digits = re.findall(r"\d+", place)
    number = int(digits[-1]) if digits else None
    return Named(kind, number, kind + place, bool(found["before"] or found["after"]))


_NUMBER_OF = r"(?:n|num|no|number|nb)_?(?:of_?)?"
_SIZE = (
    r"_?(?:size|dim|dims|dimension|nodes?|neurons?|units?|layer|layer_?size|length|len|shape|count|n|num|features)s?"
)

# What an argument means, most telling first; names are in lower case.
_MEANINGS: list[tuple[str, str]] = [
    (r"learning_?rate|lr|eta|alpha|step_?size|rate|l_?rate|learn_?rate|learning|lrate|epsilon_lr|learningrate", "rate"),
    (r"lambd|lambda_?|lmbda|lam|reg|l2|l2_?\w*|reg\w*|penalty|weight_?decay|lambda_\w+|decay", "penalty"),
    (r"momentum|beta|mu|gamma|drop_?out\w*|drop_?prob|p_?drop|rho|noise", "zero"),
    (r"keep_?prob\w*|p_?keep|temperature", "one"),
    (r"\w*epochs?|\w*iter(ation)?s?(_?num(ber)?)?|(n_?|num_?)?steps|times", "one"),
    (r"verbose|print\w*|debug|show\w*|plot\w*|log\w*|display", "false"),
    (r"seed|random_?(seed|state)", "seed"),
    (r"mode|training|is_?train(ing)?|train", "true"),
    (r"dtype|activation\w*|act\w*|loss_?(func\w*|fn|type|name)?|cost_?(func\w*|fn)?|optimi[sz]er", "unknown"),
    (r"y_?true|true\w*|actual\w*|truth|ground_?truth|gt|one_?hot\w*|y_?(one_?hot|oh|enc\w*|onehot\w*)", "Y"),
    (r"(train|test|val|batch)\w*(outputs?|labels?|targets?|_y)", "Y"),
    (r"labels?\w*|targets?\w*|expected\w*|desired\w*|correct\w*|answers?|classes_true|t|\w*_(labels?|targets?)", "Y"),
    (
        r"train(ing)?_?(y|labels?|outputs?|targets?)|y_?(train|batch|b|mini|data|label\w*|act\w*|tr|real|i|s|t|in)?|ys",
        "Y",
    ),
    (r"(mini_?)?batch_?(y|labels?|targets?)|yy|y_?vec\w*", "Y"),
    (
        r"y_?(hat|pred\w*|prob\w*|out\w*|h|p|proba|final)|yhat|pred\w*|output_?layer|hypothesis|h_?theta|al|a_?(l|last|out)",
        "P",
    ),
    (
        r"(final_|net(work)?_?)?out(put)?s?|probs?|probabilit\w+|o|h|p|out_?put|guess|estimate\w*|a_?final|results?|scores",
        "P",
    ),
    (r"n_?x|nx|n_?in(puts?)?|n_?0|d|d_?in|in_?(dim|size|features)|features|inodes|ninputs?", "inputs"),
    (rf"(input|in|inp|x)_?(layer_?)?{_SIZE}|{_NUMBER_OF}(in|inputs?|input_?\w+|features|pixels)|image_size", "inputs"),
    (r"n_?y|ny|n_?out(puts?)?|d_?out|out_?(dim|size|features)|onodes|c|k|noutputs?|classes|n_?c", "outputs"),
    (
        rf"(output|out|y)_?(layer_?)?{_SIZE}|{_NUMBER_OF}(out|outputs?|output_?\w+|class(es)?|labels|categories)",
        "outputs",
    ),
    (r"hidden_?(layers?|sizes|dims|layer_?sizes|nodes_list|layer_?dims)|hiddens", "hidden_list"),
    (rf"(n_?h|h|hidden|hidden_?layer|n_?hidden|num_?hidden)_?3({_SIZE})?|hidden{_SIZE}_?3|h3_?(dim|size)", "hidden3"),
    (rf"(n_?h|h|hidden|hidden_?layer|n_?hidden|num_?hidden)_?2({_SIZE})?|hidden{_SIZE}_?2|h2_?(dim|size)", "hidden2"),
    (r"h|n_?h|nh|hidden|(nn_?)?hdim|h_?(dim|size)|hnodes|hiddens?|nhidden", "hidden1"),
    (rf"(hidden|h|hid)_?(layer_?)?{_SIZE}|{_NUMBER_OF}(h|hid|hidden|hidden_?\w+)", "hidden1"),
    (rf"(n_?h|h|hidden|hidden_?layer|n_?hidden|num_?hidden)_?1({_SIZE})?|hidden{_SIZE}_?1|h1_?(dim|size)", "hidden1"),
    (r"layers?_?(dims?|sizes?|shapes?|nodes|units|structure|list|neurons|dimensions?|config)|layer_?s|layers", "sizes"),
    (
        r"sizes?|dims?|dimensions?|architecture|arch|topology|structure|shape|units|neurons|num_neurons|nodes|ns",
        "sizes",
    ),
    (r"(nn|net(work)?|model)_?(structure|arch\w*|shape|sizes?|dims?|layers|layout|config)|list_of_\w*sizes", "sizes"),
    (r"l|num_?layers|n_?layers|number_of_layers|depth", "depth"),
    (r"m|n_?(samples|examples|data|points|train)|num_?(samples|examples|data|points|train)", "m"),
    (r"m_?\w*|batch_?(size|len)?|bs|sample_?size|number_of_(samples|examples)|n|mini_?batch_?size|data_?size", "m"),
    (r"grads|gradients", "empty"),
    (r"param(eter)?s?\w*|weights_?(and_)?bias\w*|theta|thetas|model|coeffs|wb|p|w_?b", "parameters"),
    (
        r"caches?|memory|forward_?\w*|fwd\w*|ff\w*|feed\w*|activations?|states?|store|intermediate\w*|saved|ctx|values|c",
        "cache",
    ),
    (r"(x|xs|inputs?|features?|samples?|data\w*|images?|imgs?|inp|a_?0|a_?prev|xx|pixels)", "X"),
    (
        r"x_?(train|batch|in|inputs?|data|b|mini|norm|flat|s|i|t|tr|vec\w*)\w*|batch_?x|mini_?batch_?x|training_?\w*",
        "X",
    ),
    (
        r"inputs?_?(data|s|vector|array|layer|batch|list|values|matrix|x)|batch|mini_?batch|train_?(x|data\w*|images)",
        "X",
    ),
    (r"input_?nodes?_?values", "X"),
]
_COMPILED = [(re.compile(pattern), meaning) for pattern, meaning in _MEANINGS]
_NUMBERS = {"inputs", "outputs", "hidden_list", "hidden1", "hidden2", "hidden3", "sizes", "depth"}


def meanings(name: str, building: bool) -> list[str]:
    """What an argument of this name can mean, likeliest first; `building`: of a constructor or initialiser."""
    plain = name.strip("_").lower()
    found = [meaning for pattern, meaning in _COMPILED if pattern.fullmatch(plain)]
    if building:
        both = {"inputs": "inputs", "input": "inputs", "outputs": "outputs", "output": "outputs", "x": "X", "y": "Y"}
        found = ([both[plain]] if plain in both else []) + found
        found = sorted(found, key=lambda meaning: meaning not in _NUMBERS and meaning in "PmXcacheparameters")
    else:
        if name == "N":
            found.insert(0, "m")
        found = sorted(found, key=lambda meaning: meaning in _NUMBERS)
    return list(dict.fromkeys(found))


_FORWARD = [
    r"forward|feed_?f|fprop|fwd|feed_?through|propagate$|^ff$",
    r"predict|think|query|infer|^output|^run|model$|^net|hypothesis|^call$|activate|^evaluate$|^compute",
]
_BACKWARD = [
    r"back|bprop|gradients?|grads?$|nabla|^bp$|derivatives$",
    r"step|update|fit|train|learn|optimi[sz]e|descent|sgd",
]
_NOT_BACKWARD = r"check|numeric|approx|clip|plot|update|descent|init|^zero|test|norm|fit|train|learn|optimi"
_INIT = r"init|param|weight|create|make|build|setup|reset|random"
_LOSS = r"loss|cost|cross_?entropy|mse|bce|^ce$|objective|^j$|error|nll|squared|criterion|log_?likelihood"
_NOT_LOSS = r"deriv|prime|grad|back|plot|hist|print|delta|^d_?[a-z]*(loss|cost|mse|bce)|_d$|init|train|update|history"


def forward_tier(name: str) -> int | None:
    """How surely a function of this name computes a prediction: 0 surely, 1 perhaps, None no."""
    plain = name.strip("_").lower()
    if re.search(r"back|train|fit|update|deriv|grad|prime|loss|cost|init", plain):
        return None
    return _tier(plain, _FORWARD)


def backward_tier(name: str) -> int | None:
    """How surely a function of this name computes gradients: 0 surely, 1 in an update of its own, None no."""
    plain = name.strip("_").lower()
    tier = _tier(plain, _BACKWARD)
    if tier == 0 and re.search(_NOT_BACKWARD, plain) and "back" not in plain:
        tier = 1 if re.search(_BACKWARD[1], plain) else None
    return tier if may_compute_gradients(name) else None


def may_compute_gradients(name: str) -> bool:
    """Whether nothing in a name speaks against it: numerical_gradient, check_gradients, plot_history."""
    return not re.search(r"check|numeric|approx|clip|plot|predict|history|test|init|print", name.lower())


def _tier(plain: str, tiers: list[str]) -> int | None:
    return next((tier for tier, pattern in enumerate(tiers) if re.search(pattern, plain)), None)


def is_init(name: str) -> bool:
    return bool(re.search(_INIT, name.lower())) and not re.search(r"update|train|grad|zero_|sgd|step", name.lower())


def is_loss(name: str) -> bool:
    plain = name.strip("_").lower()
    return bool(re.search(_LOSS, plain)) and not re.search(_NOT_LOSS, plain)
