"""What the names in hand-written networks mean: which are weights, gradients, data, sizes; which functions do what."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

_WEIGHT = (
    r"w|ws|wt|wts|weights?|weigths?|wieghts?|weightmatrix|theta|thetas|syn|synapses?|synapticweights?|kernels?|"
    r"filters?|coefs?"
)
_BIAS = r"b|bs|bias|biases|biais|intercepts?"
_PLACE = (
    r"(?:input|output|hidden|layers?|inp|out|first|second|third|last|final|matrix|mat|one|two|three|list|hid|"
    r"to|in|ih|ho|hh|h|o|i|l|x|y|z|f|\d+)*"
)
_BEFORE = (
    r"(?:d(?:l|j|c|e|loss|cost|error)?d|d(?:loss|cost|error|j|l|c)|gradients?(?:of|for|wrt)?|grads?(?:wrt)?|nabla|"
    r"delta|deriv(?:ative)?s?|del|partial|updates?|adjust(?:ment)?s?|d)"
)
_AFTER = r"(?:gradients?|grads?|gs|deriv(?:ative)?s?|deltas?|errors?|updates?|adjust(?:ment)?s?|change)"
_PARAMETER = re.compile(
    rf"(?P<before>{_BEFORE}|g)??(?P<place1>{_PLACE})(?:(?P<weight>{_WEIGHT})|(?P<bias>{_BIAS}))"
    rf"(?P<place2>{_PLACE})(?P<after>{_AFTER})?"
)
_GRADIENT_AND_NAME = re.compile(r"_*(?:d|grads?|gradients?)_(?P<name>\w*[a-z0-9]\w*)", re.IGNORECASE)
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
    if told := _GRADIENT_AND_NAME.fullmatch(name):  # grad_scale is of scale, and gradscale of scale or of cale
        return squeezed(told["name"])
    found = _GRADIENT.fullmatch(squeezed(name))
    return found["name"] if found and (found["before"] or found["after"]) else None


_COUNT = r"(?:n|num|no|number|nb)(?:of)?"
_SIZE = r"(?:(?:size|dim|d|dimension|node|neuron|unit|layer|layersize|length|len|shape|count|n|num|feature)s?)"

# What an argument means, most telling first; names are squeezed.
_MEANINGS = [
    (r"(?:learn(?:ing)?|l)?rate|lr|eta|alpha|stepsize|gradientstep|epsilon", "rate"),
    (r"(?:lamb?da|reg|l2)\w*|lambd?|lmbda|lam|l1|penalty|weightdecay|wd", "penalty"),
    (r"\w*decay|momentum|beta\d?|mu|gamma|dropout\w*|rho|noise", "nothing"),
    (r"keepprob\w*|temperature", "one"),
    (r"\w*epochs?|\w*iter(?:ation)?s?(?:num(?:ber)?)?|(?:n|num)?steps|times", "count"),
    (r"verbose|(?:print|show|plot|log(?!its?$))\w*|debug|display|info", "false"),
    (r"seed|random(?:seed|state)", "seed"),
    (r"mode|(?:is)?train(?:ing)?|(?:save|store)\w*", "true"),
    (r"name", "word"),
    (r"(?:training|train|test|val(?:idation)?|eval\w*)(?:data|set|samples)|minibatch|dataset", "pairs"),
    (r"(?:true|actual|onehot)\w*|(?:ground)?truth|gt|t|\w*(?:label|target|expected|desired|correct|answer)\w*", "Y"),
    (r"(?:training|train|test|val|batch)(?:set)?(?:y|outputs?)|ys", "Y"),
    (r"y(?:train|test|val\w*|dev|batch|b|mini|data|tr|true|real|onehot|i|s|t)?", "Y"),
    (r"y(?:hat|pred\w*|prob\w*|out\w*|h|p|proba|final)|pred\w*|al|a(?:l|last|out|final)|o|h|p|guess", "P"),
    (r"(?:final|net(?:work)?)?out(?:put)?s?(?:activations?)?|prob(?:abilit(?:y|ies)|s)?|results?|scores|logits?", "P"),
    (r"dim(?:ension)?", "inputs"),
    (r"ni|nx|n?visible|nin(?:put)?s?|d|din|in(?:d|dim|size|features|nodes)|features|fanin", "inputs"),
    (rf"(?:inputs?|in|inp|x)(?:layer)?{_SIZE}|{_COUNT}(?:in|inputs?|input\w+|features|pixels)", "inputs"),
    (r"no|ny|nout(?:put)?s?|dout|out(?:d|dim|size|features|nodes)|c|k|classes|fanout", "outputs"),
    (rf"(?:outputs?|out|y)(?:layer)?{_SIZE}|(?:neurons|nodes|units)(?:num(?:ber)?|count|nr|n)", "outputs"),
    (rf"{_COUNT}(?:out|outputs?|output\w+|class(?:es)?|labels|categories|neurons|units|nodes)", "outputs"),
    (r"hidden(?:layers?|(?:layer)?(?:sizes|dims))|widths|(?:hidden|layer)widths", "hidden"),
    *[(rf"(?:nh|h|(?:n|num)?hidden(?:layer)?){k}{_SIZE}?|hidden{_SIZE}{k}", f"hidden{k}") for k in "321"],
    (rf"n?h|hidden|(?:hidden|h|hid|hl)(?:layer)?{_SIZE}|{_COUNT}(?:h|hid|hidden\w*)", "hidden1"),
    (r"layers|layers?(?:dims?|sizes?|shapes?|dimensions?|nodes|units|structure|list|neurons|config)", "sizes"),
    (r"(?:size|dim|dimension)s?|units|neurons|nodes|arch(?:itecture)?|shape|ns", "sizes"),
    (r"(?:nn|net(?:work)?|model)(?:structure|arch\w*|shape|sizes?|dims?|layers|layout|config)", "sizes"),
    (r"n?l|n(?:um)?layers|depth", "depth"),
    (r"m|n|n(?:um)?(?:samples|examples|data|points|train)|(?:mini)?batch(?:size|len)|(?:sample|data)size", "m"),
    (r"bs|bsize|bsz", "m"),
    (r"grads|gradients", "gradients"),
    (r"param(?:eter)?s?\w*|theta|model|coeffs", "parameters"),
    (r"d[a-z]|d(?:next|up|loss|prev|val(?:ue)?s?|out\w*|act\w*|logits)|dld?\w+|delta\w*|upstream\w*", "upstream"),
    (r"\w*grad(?:ient)?s?\w*|\w*errors?|error\w+|errs?|g", "upstream"),
    (r"\w*cache\w*|memory|(?:forward|ff|feed)\w*|activations|states?|ctx|values|c", "cache"),
    (r"xs?|inputs?|features?|samples?|data\w*|images?|imgs?|inp|a0|aprev|xx|pixels|z|s|a", "X"),
    (r"x(?:train|test|val\w*|dev|batch|in|inputs?|data|b|mini|norm|flat|s|i|t|tr)\w*|trainingx|(?:mini)?batchx", "X"),
    (r"inputs?(?:data|s|vector|array|layer|batch|list|values|matrix|x)|batch", "X"),
    (r"(?:train|test|val)\w*(?:x|inputs|images)", "X"),
]  # fmt: skip
_COMPILED = [(re.compile(pattern), meaning) for pattern, meaning in _MEANINGS]
LATER = {"P", "X", "m", "cache", "parameters"}  # what a network is hardly built with
SIZES = {"inputs", "outputs", "hidden", "hidden1", "hidden2", "hidden3", "sizes", "depth"}


def meanings(name: str, building: bool = False) -> list[str]:
    """What an argument of this name can mean, likeliest first; `building`: of a constructor or initialiser."""
    return list(_meanings(name, building))


@functools.cache
def _meanings(name: str, building: bool) -> tuple[str, ...]:
    plain = squeezed(name)
    found = [meaning for pattern, meaning in _COMPILED if pattern.fullmatch(plain)]
    if building and plain.removesuffix("s") in ("input", "output"):
        found.insert(0, plain.removesuffix("s") + "s")
    if not building and name == "N":
        found.insert(0, "m")
    found.sort(key=lambda meaning: meaning in (LATER if building else SIZES))
    return tuple(dict.fromkeys(found))


_ROLES = [  # the first that is found is it: a train_step does all, a backward_propagation is no update
    ("no", r"check|numeric|approx|clip|plot|print|history|accuracy|evaluate|test|load|save|normali[sz]e$"),
    ("no", r"^(?!.*(loss|cost)).*one_?hot"),
    ("train", r"^(?!.*(for|back)ward)(train|fit|learn|main|model|run|sgd|optimi[sz]e)"),
    ("train", r"_(model|train|fit)$|train_|grad(ient)?_?(des?|as)cent"),
    ("zero", r"^(?!init).*(zero|reset|clear)"),
    ("init", r"init|^build$|param.*(create|make)|(create|make|build|setup).*(param|weight|net)|random.*weight"),
    ("update", r"^apply_?grad"),
    ("backward", r"back|bprop|grad(ient)?s?$|^grads?_|nabla|^bp$|compute_?grad"),
    ("backward", r"prime$|deriv|^d_[a-z]+$|_d$|^d(relu|sigmoid|tanh|softmax|act\w*|loss|cost)$"),
    ("update", r"update|^_?step$|apply|des?cent|optimi[sz]e|adjust"),
    ("loss", r"loss|cost|cross_?entropy|mse|bce|^ce$|objective|^j$|error|nll|squared|criterion|log_?likelihood"),
    ("loss", r"deviance"),
    ("forward", r"forward|feed_?f|fprop|fwd|propagat|^ff$|^_?_?call_?_?$|compute|activate"),
    ("forward", r"predict|think|query|infer|^run|model$|^net"),
]  # fmt: skip


@functools.cache
def role(name: str) -> str:
    """What a function of this name does: train, init, forward, loss, backward, update, zero, or no for none of it."""
    plain = name.strip("_").lower() if name != "__call__" else "call"
    return next((role for role, pattern in _ROLES if re.search(pattern, plain)), "no")
