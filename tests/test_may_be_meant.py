"""What may be meant so, and is neither accused nor called right: stopped gradients, turns, other ways back."""

import re

import pytest
from judging import PENALISED, PERCEPTRON, PLAIN, SLOPE, SQUARE, examined, examined_once

from jaxnet.compare.author.verdict import verdict

LINEAR = """
import numpy as np
rng = np.random.default_rng(7)
X = rng.normal(size=(50, 3))
y = X @ [1., 2., 3.] + 0.1
w, b = rng.normal(size=3), 0.0
for x, t in zip(X, y):
    e = x @ w + b - t
    w -= 0.01 * {given} * x
    b -= 0.01 * {given}
"""


@pytest.mark.parametrize("given", ["np.sign(e)", "np.tanh(e)", "e ** 3", "e / (1 + e ** 2)", "(e + np.sign(e))"])
def test_the_error_of_another_loss_is_not_accused_by_one_that_nobody_computes(tmp_path, given):
    """Where that error begins, it is the gradient of a bias for the squared error: that proves nothing."""
    with pytest.raises(ValueError, match="no verdict"):
        examined(tmp_path, LINEAR.format(given=given))
    said = examined_once(LINEAR.format(given="e"))
    assert said["verdict"] == "right"
    said = examined_once(LINEAR.format(given="e").replace("e * x", "e * x ** 2"))  # by what the bias is stepped with
    assert [(f["at"], f["severity"]) for f in said["findings"]] == [("dW1", "error")]


def test_a_gradient_at_other_weights_is_not_accused(tmp_path):
    """Sharpness-aware minimisation steps down the gradient a little uphill."""
    text = PERCEPTRON.replace(
        "    y =", "    g = X.T.dot(1 / (1 + np.exp(-X.dot(w))) - T)\n    v = w + 0.1 * g / np.sqrt(g @ g)\n    y ="
    )
    text = text.replace("np.dot(X, w)", "np.dot(X, v)")
    with pytest.raises(ValueError, match="taken at other weights"):
        examined(tmp_path, text)


@pytest.mark.parametrize("loop", [False, True])
def test_gradients_of_single_examples_that_are_clipped_are_not_accused(tmp_path, loop):
    """Abadi et al. 2016, deep learning with differential privacy: each example's gradient has a length of C at most."""
    clipped = "sum(g / max(1, np.linalg.norm(g) / 0.1) for g in (np.outer(x, d) for x, d in zip(%s, %s)))"
    if not loop:
        clipped = "(lambda g: (g / np.maximum(1, np.sqrt((g ** 2).sum((1, 2), keepdims=True)) / 0.1)).sum(0))("
        clipped += "%s[:, :, None] * %s[:, None, :])"
    text = PLAIN.replace("A1.T @ dZ2", clipped % ("A1", "dZ2")).replace("X.T @ dZ1", clipped % ("X", "dZ1"))
    with pytest.raises(ValueError, match=r"adds up to the gradient of W|for what line 12 clips"):
        examined(tmp_path, text)
    wrong = text.replace("np.outer(x, d)", "np.outer(x, d ** 2)").replace("[:, None, :]", "[:, None, :] ** 2")
    assert examined(tmp_path, wrong)["verdict"] == "wrong"


def test_rows_of_one_matrix_that_are_clipped_are_not_accused(tmp_path):
    """Each example's gradient of weights and bias together."""
    rows = "G = np.c_[X, np.ones(40)] * (p - y)[:, None]\n    long = np.linalg.norm(G, axis=1)[:, None]\n"
    rows += "    G = (G / np.maximum(1, long)).mean(0)"
    text = COUNTED.replace("e = weight * (p - y) / 40", rows).replace("X.T @ e", "G[:4]").replace("e.sum()", "G[4]")
    with pytest.raises(ValueError, match=r"what line 11 of net\.py makes adds up to the gradients of W1, b1, but"):
        examined(tmp_path, text)
    assert examined(tmp_path, text.replace("np.c_[X,", "np.c_[X ** 2,"))["verdict"] == "wrong"


def test_a_term_of_which_the_loss_has_no_part_is_not_accused(tmp_path):
    """As where a variational autoencoder prints its reconstruction loss, and steps down that and a divergence."""
    text = PLAIN.replace("dZ2 @ W2.T", "(dZ2 @ W2.T + 0.1 * A1)")
    with pytest.raises(ValueError, match="right but for what line 13 adds"):
        examined(tmp_path, text)
    assert examined(tmp_path, text.replace(*SLOPE))["verdict"] == "wrong"
    with pytest.raises(ValueError, match="the gradient of W1 is right but for what line 13 adds"):
        examined(tmp_path, text.replace("A1.T @", "(A1 ** 2).T @"))  # wrong, and no reason to accuse W1
    twice = "(dZ2 @ W2.T + 0.1 * (P - Y) @ W2.T)"  # of which it has
    assert examined(tmp_path, PLAIN.replace("dZ2 @ W2.T", twice))["verdict"] == "wrong"


def test_examples_that_count_differently_are_not_accused(tmp_path):
    """As where the classes have weights, and a cross-entropy without them is printed."""
    text = PLAIN.replace("dZ2 = (P - Y) / 9", "dZ2 = (P - Y) * np.array([1, 2, 4])[Y.argmax(1)][:, None] / 9")
    with pytest.raises(ValueError, match="right if examples are to count differently, as line 11 has it"):
        examined(tmp_path, text)
    assert examined(tmp_path, text.replace("[Y.argmax(1)][:, None]", ""))["verdict"] == "wrong"
    with pytest.raises(
        ValueError, match="gradient of W2 is right if examples are to count differently, as line 11 has"
    ):
        examined(tmp_path, text.replace("dZ2 @ W2.T", "dZ2 @ W2.T * P[:, :1]"))  # wrong, and no reason to accuse W2


ACTOR = """
import numpy as np
np.random.seed(3)
W, U, v = np.random.randn(4, 5) / 2, np.random.randn(5, 3) / 2, np.random.randn(5) / 2
for _ in range(9):
    X, chosen, returns = np.random.randn(9, 4), np.random.randint(3, size=9), np.random.randn(9)
    H = np.tanh(X @ W)
    E = np.exp(H @ U)
    P = E / E.sum(1, keepdims=True)
    value = H @ v
    gain = returns - value
    loss = np.mean((returns - value) ** 2) - np.mean(gain * np.log(P[np.arange(9), chosen]))
    dZ = (P - np.eye(3)[chosen]) * gain[:, None] / 9
    dvalue = -2 * gain / 9
    dH = dZ @ U.T + np.outer(dvalue, v)
    U -= 0.1 * H.T @ dZ
    v -= 0.1 * H.T @ dvalue
    W -= 0.1 * X.T @ (dH * (1 - H ** 2))
"""


def test_where_no_gradient_goes_through_a_branch_on_purpose(tmp_path):
    """An advantage is data to the policy that it teaches, and so are the targets of Q-learning."""
    with pytest.raises(ValueError, match=r"right if what line 11 of net\.py makes is a constant"):
        examined(tmp_path, ACTOR)
    through = ACTOR.replace("-2 * gain / 9", "(-2 * gain + np.log(P[np.arange(9), chosen])) / 9")
    assert examined(tmp_path, through)["verdict"] == "right"
    wrong = examined(tmp_path, ACTOR.replace(" * (1 - H ** 2)", ""))
    assert [p["name"] for p in wrong["parameters"] if p["right"]] == ["U", "v"]
    assert "with what line 11 makes as a constant" in wrong["truth"]
    # What a softmax divides by is no branch, nor is what a penalty is made of.
    assert examined(tmp_path, through.replace("(P - np.eye(3)[chosen])", "-np.eye(3)[chosen]"))["verdict"] == "wrong"
    penalty = through.replace("    dZ =", "    loss = loss + 0.1 * np.sum(W ** 2)\n    dZ =")
    assert examined(tmp_path, penalty)["verdict"] == "wrong"


TRUNCATED = """
import numpy as np
np.random.seed(0)
X, Y = np.eye(6)[np.random.randint(6, size=7)], np.eye(6)[np.random.randint(6, size=7)]
U, W, V = np.random.randn(5, 6) / 2, np.random.randn(5, 5) / 2, np.random.randn(6, 5) / 2
BACK = 3
for _ in range(9):
    h, o = np.zeros((8, 5)), np.zeros((7, 6))
    for t in range(7):
        h[t] = np.tanh(U @ X[t] + W @ h[t - 1])
        e = np.exp(V @ h[t])
        o[t] = e / e.sum()
    loss = -np.sum(Y * np.log(o))
    dU, dW, dV = np.zeros_like(U), np.zeros_like(W), np.zeros_like(V)
    d = o - Y
    for t in range(7)[::-1]:
        dV += np.outer(d[t], h[t])
        dz = V.T @ d[t] * (1 - h[t] ** 2)
        for k in range(max(0, t - BACK), t + 1)[::-1]:
            dW += np.outer(dz, h[k - 1])
            dU += np.outer(dz, X[k])
            dz = W.T @ dz * (1 - h[k - 1] ** 2)
    U -= 0.1 * dU
    W -= 0.1 * dW
    V -= 0.1 * dV
"""


def test_a_loop_that_goes_back_some_rounds_only_is_not_accused(tmp_path):
    """Truncated backpropagation through time, on purpose."""
    with pytest.raises(ValueError, match="go back 3 rounds of the loop"):
        examined(tmp_path, TRUNCATED)
    with pytest.raises(ValueError, match="go back 3 rounds of the loop"):  # where the loss is inferred, too
        examined(tmp_path, TRUNCATED.replace("    loss = -np.sum(Y * np.log(o))\n", ""))
    whole = TRUNCATED.replace("BACK = 3", "BACK = 99")
    assert examined(tmp_path, whole)["verdict"] == "right"
    for wrong in (TRUNCATED.replace("BACK = 3", "BACK = 0"), whole.replace("dz * (1 - h[k - 1] ** 2)", "dz")):
        assert [p["name"] for p in examined(tmp_path, wrong)["parameters"] if not p["right"]] == ["U", "W"]


@pytest.mark.parametrize("bound", ["0.05", "0.5"])
def test_errors_that_are_clipped_on_their_way(tmp_path, bound):
    """Some of them reach the bound, in some draws; what is wrong beside that is not excused."""
    text = PLAIN.replace("    dW1, db1 =", f"    dZ1 = np.clip(dZ1, -{bound}, {bound})\n    dW1, db1 =")
    with pytest.raises(ValueError, match="the gradients are right but for what line 14 clips"):
        examined(tmp_path, text.replace("(P - Y) / 9", "P - Y").replace("* np.log(P)) / 9", "* np.log(P))"))
    assert examined(tmp_path, text.replace(*SLOPE))["verdict"] == "wrong"
    whole = text.replace("(P - Y) / 9", "P - Y").replace("* np.log(P)) / 9", "* np.log(P))")
    said = examined(tmp_path, whole.replace("A1.T @ dZ2", "A1.T ** 3 @ dZ2"))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W2"]


def test_what_is_stepped_by_turns_is_not_accused(tmp_path):
    """Each gradient is right, at the weights where it is taken: those that the other one has been stepped to."""
    text = """
import numpy as np
np.random.seed(1)
R, U, V = np.random.randn(6, 5), np.random.randn(6, 2), np.random.randn(5, 2)
for _ in range(9):
    E = U @ V.T - R
    U -= 0.1 * E @ V
    E = U @ V.T - R
    V -= 0.1 * E.T @ U
    loss = (E ** 2).sum() / 2
"""
    with pytest.raises(ValueError, match="no verdict"):
        examined(tmp_path, text)
    line = """
import numpy as np
np.random.seed(1)
X, y, w, b = np.random.randn(6, 5), np.random.randn(6), np.zeros(5), 0.0
for _ in range(9):
    r = X @ w + b - y
    w = w - 0.1 * X.T @ r
    r = X @ w + b - y
    b = b - 0.1 * r.mean()
"""
    with pytest.raises(ValueError, match="what line 9 of"):
        examined(tmp_path, line)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("dZ2 @ W2.T", "dZ2 @ B", "as in feedback alignment"),
        ("dZ2 @ W2.T", "dZ2 @ np.sign(W2).T", "as in feedback alignment"),  # Liao et al. 2016
        ("dZ2 @ W2.T", "dZ2 @ (np.sign(W2) * abs(B.T)).T", "as in feedback alignment"),
        ("dZ2 @ W2.T", "dZ2 @ U.T", "as in feedback alignment"),  # Kolen and Pollack 1994: U learns as W2 does
        ("np.tanh(X @ W1 + b1)", "np.sign(X @ W1 + b1)", "as by a straight-through estimator"),
        ("np.tanh(X @ W1 + b1)", "np.eye(5)[np.argmax(X @ W1 + b1, 1)]", "as by a straight-through estimator"),
    ],
)
def test_an_error_that_comes_back_another_way_may_be_meant(tmp_path, old, new, why):
    beside = "B, U = np.random.randn(3, 5), np.random.randn(5, 3)\nfor _ in"
    text = PLAIN.replace("for _ in", beside).replace(old, new)
    text = text.replace("    W2 -= 0.1 * dW2", "    W2 -= 0.1 * dW2\n    U -= 0.1 * dW2") if "U" in new else text
    text = text.replace(SLOPE[0], "") if old.startswith("np.tanh") else text
    with pytest.raises(ValueError, match=why):
        examined(tmp_path, text)


POLICY = """import numpy as np
rng = np.random.default_rng(0)
theta = np.zeros((5, 3))
for episode in range(50):
    gradients, rewards = [], []
    for t in range(8):
        s = np.eye(5)[rng.integers(5)]
        z = s @ theta
        p = np.exp(z) / np.exp(z).sum()
        a = np.eye(3)[rng.choice(3, p=p)]
        gradients.append(np.outer(s, a - p))
        rewards.append(float(episode > 0 and t % 2))
    for i in range(8):
        theta += 0.1 * gradients[i] * sum(rewards[i:])
    print(sum(rewards))
"""


def test_a_gradient_that_a_reward_of_0_multiplies_is_not_called_zero(tmp_path):
    """REINFORCE (Williams 1992) makes no step where an episode has no reward."""
    with pytest.raises(ValueError, match="what steps W1 is multiplied by 0: what it would be else"):
        examined(tmp_path, POLICY)


CRITICISED = """
import numpy as np
rng = np.random.default_rng(2)
critic, actor = ([rng.normal(size=(3, 8)) * 0.4, rng.normal(size=(8, 1)) * 0.4] for _ in range(2))

def forward(W, S):
    A = np.tanh(S @ W[0])
    return A, A @ W[1]

def step(W, S, A, D, rate):
    D1 = D @ W[1].T * (1 - A ** 2)
    W[1] -= rate * A.T @ D
    W[0] -= rate * S.T @ D1

for t in range(30):
    S = rng.normal(size=(16, 3))
    A, mean = forward(actor, S)
    action = mean + 0.3 * rng.normal(size=mean.shape)
    B, V = forward(critic, S)
    advantage = -((action - S[:, :1]) ** 2) - V
    print(np.mean(advantage ** 2))
    step(critic, S, B, -2 * advantage / 16, 0.05)
    step(actor, S, A, -advantage * (action - mean) / 0.09 / 16, 0.01)
"""


def test_an_actor_is_not_judged_by_its_critics_loss(tmp_path):
    """On which it depends, as what it is rewarded for is NumPy's as well."""
    with pytest.raises(ValueError, match="which loss these are for cannot be told"):
        examined(tmp_path, CRITICISED)
    said = examined(tmp_path, CRITICISED.replace("* (action - mean) / 0.09", "* -2 * (action - S[:, :1])"))
    assert said["verdict"] == "wrong"  # half of what the critic's loss would have: 2 advantage · ∂reward/∂mean / 16


AN_EPISODE = """
import numpy as np
rng = np.random.default_rng(0)
actor, critic = rng.normal(size=(3, 3)) * 0.1, np.zeros(3)
for episode in range(30):
    of_actor, of_critic, unlikely, missed = np.zeros_like(actor), np.zeros_like(critic), 0, 0
    for s in rng.normal(size=(8, 3)):
        z = s @ actor
        p = np.exp(z) / np.exp(z).sum()
        a = rng.choice(3, p=p)
        advantage = float(a == np.argmax(s)) - s @ critic
        unlikely -= np.log(p[a]) * advantage
        missed += 0.5 * advantage ** 2
        d = p.copy()
        d[a] -= 1
        of_actor += np.outer(s, d * advantage)
        of_critic -= s * advantage
    actor -= 0.02 * of_actor
    critic -= 0.02 * of_critic
    print(unlikely, missed)
"""


def test_an_actor_may_have_another_loss_than_the_number_that_is_shown(tmp_path):
    """A bonus for entropy, or what an action is worth, is in the gradient and not in the number (Mnih et al. 2016)."""
    assert len(examined(tmp_path, AN_EPISODE)["also_right"]) == 1
    bonus = AN_EPISODE.replace("d * advantage)", "d * advantage + 0.01 * p * (np.log(p) - p @ np.log(p)))")
    with pytest.raises(ValueError, match=r"has no part in the loss .* line 12 of net\.py computes another one"):
        examined(tmp_path, bonus)
    shown = AN_EPISODE.replace("np.log(p[a]) * advantage", "np.log(p[a])")
    with pytest.raises(ValueError, match="goes back over it: right if it is to, as that of another loss"):
        examined(tmp_path, shown)
    alone = shown.replace("s @ critic", "0.3").replace("    critic -= 0.02 * of_critic\n", "")
    with pytest.raises(ValueError, match="right if examples are to count differently, as line 16 has it"):
        examined(tmp_path, alone)
    assert examined(tmp_path, alone.replace("d * advantage", "d * p * advantage"))["verdict"] == "wrong"


REVERSED = """
import numpy as np
rng = np.random.default_rng(6)
X = rng.normal(size=(40, 5))
y, d = (X[:, :1] > 0) * 1.0, (np.arange(40) % 2 * 1.0)[:, None]
F, C, D = rng.normal(size=(5, 6)) * 0.4, rng.normal(size=(6, 1)) * 0.4, rng.normal(size=(6, 1)) * 0.4
for _ in range(20):
    A = np.tanh(X @ F)
    p, q = 1 / (1 + np.exp(-A @ C)), 1 / (1 + np.exp(-A @ D))
    of_class = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    of_domain = -np.mean(d * np.log(q) + (1 - d) * np.log(1 - q))
    print(of_class + of_domain)
    dC, dD = A.T @ (p - y) / 40, A.T @ (q - d) / 40
    back = (p - y) @ C.T / 40 - 0.5 * (q - d) @ D.T / 40
    dF = X.T @ (back * (1 - A ** 2))
    F -= 0.5 * dF
    C -= 0.5 * dC
    D -= 0.5 * dD
"""


@pytest.mark.parametrize("printed", ["of_class + of_domain", "of_class, of_domain", "of_class - 0.5 * of_domain", ""])
def test_an_error_may_be_turned_where_a_network_is_to_deceive_another(tmp_path, printed):
    text = REVERSED.replace("print(of_class + of_domain)", f"print({printed})")
    with pytest.raises(ValueError, match=r"from line 9 of net\.py is turned, and that of what this alone is made of"):
        examined(tmp_path, text)
    added = text.replace("- 0.5 * (q", "+ (q").replace("_class - 0.5 *", "_class +")
    assert examined(tmp_path, added)["verdict"] == "right"
    said = examined(tmp_path, added.replace("* (1 - A ** 2)", "* (1 - A)"))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["F"]


SPECTRAL = """
import numpy as np
rng = np.random.default_rng(52)
X, Y = rng.normal(size=(30, 4)), rng.normal(size=(30, 2))
W, V, u = rng.normal(size=(4, 5)), rng.normal(size=(5, 2)), rng.normal(size=4)
for _ in range(9):
    right = W.T @ u
    right /= np.linalg.norm(right)
    u = W @ right
    u /= np.linalg.norm(u)
    largest = u @ W @ right
    H = np.tanh(X @ W / largest)
    e = H @ V - Y
    loss = np.sum(e ** 2) / 60
    dH = e @ V.T / 30 * (1 - H ** 2)
    dN = X.T @ dH
    dW = dN / largest - np.sum(dN * W) / largest ** 2 * np.outer(u, right)
    V -= 0.1 * H.T @ e / 30
    W -= 0.1 * dW
"""


def test_what_is_made_with_an_array_that_is_kept_may_be_a_constant(tmp_path):
    """Spectral normalisation: singular vectors go on from step to step, and no derivative goes through them."""
    with pytest.raises(
        ValueError, match=r"right if what line 8 of net.py makes with what is kept from step to step is a constant"
    ):
        examined(tmp_path, SPECTRAL)
    said = examined(tmp_path, SPECTRAL.replace(" - np.sum(dN * W) / largest ** 2 * np.outer(u, right)", ""))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == ["W"]
    made_beside = (
        "def power():\n    global u, right\n    right = W.T @ u / np.linalg.norm(W.T @ u)\n    u = W @ right\n"
    )
    made_beside += "    u = u / np.linalg.norm(u)\n"
    text = re.sub(r"    right = (.*\n)*?    largest", "    largest", SPECTRAL).replace(
        "for _", made_beside + "power()\nfor _"
    )
    with pytest.raises(ValueError, match="with what is kept from step to step is a constant"):
        examined(tmp_path, text + "    power()\n")


CENTRES = """
import numpy as np
rng = np.random.default_rng(53)
X, labels = rng.normal(size=(30, 4)), rng.integers(0, 3, 30)
W, V, C = rng.normal(size=(4, 5)) / 2, rng.normal(size=(5, 3)) / 2, np.zeros((3, 5))
for _ in range(9):
    F = np.tanh(X @ W)
    E = np.exp(F @ V)
    P = E / E.sum(1, keepdims=True)
    apart = F - C[labels]
    loss = -np.log(P[np.arange(30), labels]).mean() + 0.05 * np.sum(apart ** 2) / 30
    dZ = (P - np.eye(3)[labels]) / 30
    dF = dZ @ V.T + 0.1 * apart / 30
    V -= 0.3 * F.T @ dZ
    W -= 0.3 * X.T @ (dF * (1 - F ** 2))
    for k in range(3):
        C[k] += 0.5 * apart[labels == k].sum(0) / (1 + np.sum(labels == k))
"""
RENORMALISED = """
import numpy as np
rng = np.random.default_rng(54)
X, y = rng.normal(size=(48, 4)), rng.normal(size=(48, 1))
W, V, gain = rng.normal(size=(4, 6)), rng.normal(size=(6, 1)) / 2, np.ones(6)
mean, spread = np.zeros(6), np.ones(6)
for _ in range(9):
    Z = X @ W
    mu, s = Z.mean(0), np.sqrt(Z.var(0) + 1e-5)
    r, d = np.clip(s / spread, 0.5, 2), np.clip((mu - mean) / spread, -1, 1)
    N = (Z - mu) / s
    R = N * r + d
    H = np.maximum(R * gain, 0)
    e = H @ V - y
    loss = np.mean(e ** 2)
    dR = 2 * e / 48 @ V.T * (H > 0)
    dN = dR * gain * r
    dZ = (dN - dN.mean(0) - N * (dN * N).mean(0)) / s
    V -= 0.05 * H.T @ (2 * e / 48)
    gain -= 0.05 * (dR * R).sum(0)
    W -= 0.05 * X.T @ dZ
    mean += 0.1 * (mu - mean)
    spread += 0.1 * (s - spread)
"""
PERTURBED = (
    PLAIN.replace("for _", "D = np.zeros_like(X)\nfor _")
    .replace("X @ W1", "(X + D) @ W1")
    .replace("    W1 -=", "    D = np.clip(D + 0.05 * np.sign(dZ1 @ W1.T), -0.1, 0.1)\n    W1 -=")
    .replace("X.T", "(X + D).T")
)


@pytest.mark.parametrize(
    ("text", "said", "mistake"),
    [
        (CENTRES, "each row of the gradient of C is the true one times a number", (".sum(0) / (1", "[:1].sum(0) / (1")),
        (RENORMALISED, "makes with what is kept from step to step is a constant", None),
        (PERTURBED, "D is stepped uphill, in another way than others: right if it is meant", SLOPE),
    ],
)
def test_arrays_with_rules_of_their_own(tmp_path, text, said, mistake):
    """Centres of classes, running averages that correct a normalisation, and a perturbation that climbs."""
    with pytest.raises(ValueError, match=said):
        examined(tmp_path, text)
    if mistake is not None:
        assert examined(tmp_path, text.replace(*mistake))["verdict"] == "wrong"


BY_TURNS = """
import numpy as np
np.random.seed(3)
R = np.random.rand(10, 3) @ np.random.rand(3, 8)
U, V = np.random.rand(10, 3) / 2, np.random.rand(8, 3) / 2
for step in range(20):
    E = U @ V.T - R
    loss = (E ** 2).sum()
    if step % 2 == 0:
        U -= 0.04 * E @ V
    else:
        V -= 0.04 * E.T @ U
"""
FIXED_POINT = """
import numpy as np
np.random.seed(3)
X, Y = np.random.randn(12, 4), np.random.randn(12, 2)
W, U, V = np.random.randn(5, 5) / 20, np.random.randn(4, 5) / 2, np.random.randn(5, 2)
for step in range(20):
    z = np.zeros((12, 5))
    for _ in range(15):
        z = np.tanh(z @ W + X @ U)
    E = z @ V - Y
    loss = (E ** 2).sum() / 2
    dz, s = E @ V.T, 1 - z ** 2
    dZ = dz * s
    for _ in range(15):
        dZ = (dz + dZ @ W.T) * s
    dW, dU, dV = z.T @ dZ, X.T @ dZ, z.T @ E
    W, U, V = W - 0.01 * dW, U - 0.01 * dU, V - 0.01 * dV
"""
LOWER = PENALISED.replace("for _", "W1 = np.tril(W1)\nfor _")
SYMMETRIC = SQUARE.replace("for _", "W1 = (W1 + W1.T) / 2\nfor _").replace("X.T @ dZ1,", "X.T @ dZ1 + dZ1.T @ X,")
BOTH_WAYS = """
import numpy as np
np.random.seed(3)
X = np.random.randn(12, 6)
W, V = np.random.randn(6, 4) / 2, np.random.randn(4, 4) / 2

def away(p, z):  # the target z is a constant
    n = np.linalg.norm(p, axis=1, keepdims=True)
    m = np.linalg.norm(z, axis=1, keepdims=True)
    c = (p * z).sum(1, keepdims=True) / (n * m)
    return -c.mean(), (c * p / n ** 2 - z / (n * m)) / len(p)

for step in range(20):
    A, B = X + np.random.randn(12, 6) / 9, X + np.random.randn(12, 6) / 9
    F, G = np.tanh(A @ W), np.tanh(B @ W)
    one, dF = away(F @ V, G)
    two, dG = away(G @ V, F)
    loss = (one + two) / 2
    dV = (F.T @ dF + G.T @ dG) / 2
    dW = (A.T @ (dF @ V.T * (1 - F ** 2)) + B.T @ (dG @ V.T * (1 - G ** 2))) / 2
    W, V = W - 0.1 * dW, V - 0.1 * dV
"""
SMOOTHED_LABELS = """
import numpy as np
np.random.seed(3)
X, T = np.random.randn(12, 4), np.eye(3)[np.random.randint(0, 3, 12)]
W1, W2 = np.random.randn(4, 5) / 2, np.random.randn(5, 3) / 2
T_smooth = 0.9 * T + 0.1 / 3
for step in range(20):
    h = np.tanh(X @ W1)
    p = np.exp(h @ W2)
    p /= p.sum(1, keepdims=True)
    loss = -np.sum(T * np.log(p)) / 12
    d2 = (p - T_smooth) / 12
    dW2, dW1 = h.T @ d2, X.T @ (d2 @ W2.T * (1 - h ** 2))
    W1, W2 = W1 - 0.1 * dW1, W2 - 0.1 * dW2
"""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (BY_TURNS, "line 10 of net.py steps an array of the forward pass before others are"),
        (PLAIN.replace("W1 -= 0.1 * dW1", "W1[:, _ % 5] -= 0.1 * dW1[:, _ % 5]"), "leaves some entries of W1 as they"),
        (PLAIN.replace("X.T @ dZ1,", "np.where(K, X.T @ dZ1, 0),").replace("for _", "K = np.eye(4, 5) < 1\nfor _"),
         "leaves some entries of W1 as they"),
        (LOWER.replace("X.T @ dZ1,", "np.tril(X.T @ dZ1) + 0.02 * W1,").replace(" dZ2,", " dZ2 + 0.02 * W2,"),
         "leaves some entries of W1 as they"),
        (SYMMETRIC, "W1 is symmetric, and its gradient is that of a matrix which is to stay so"),
        (FIXED_POINT, "where an iteration comes to a fixed point"),
        (BOTH_WAYS, "right if what line 15 of net.py makes is a constant"),
        (SMOOTHED_LABELS, "right for the labels that line 6 makes of others, and the loss has these"),
    ],
    ids=["by turns", "some entries by turns", "some entries", "a lower matrix",
         "a symmetric matrix",
         "a fixed point", "a stopped branch that is used twice", "smoothed labels"],
)  # fmt: skip
def test_what_may_be_meant_is_not_accused(tmp_path, text, why):
    """All these gradients are right, for what is stepped and where it is."""
    with pytest.raises(ValueError, match=why):
        examined(tmp_path, text)


QUANTISED = """
import numpy as np
rng = np.random.default_rng(5)
X, E = rng.normal(size=(30, 4)), rng.normal(size=(4, 2))
D, C = rng.normal(size=(2, 4)), rng.normal(size=(5, 2))
for _ in range(20):
    Z = X @ E
    k = ((Z[:, None] - C) ** 2).sum(2).argmin(1)
    R = C[k] @ D
    loss = np.sum((R - X) ** 2) / 30 + 1.3 * np.sum((C[k] - Z) ** 2) / 30
    dR = 2 * (R - X) / 30
    dZ = dR @ D.T + 0.6 * (Z - C[k]) / 30
    dC = np.zeros_like(C)
    np.add.at(dC, k, 2 * (C[k] - Z) / 30)
    D -= 0.1 * C[k].T @ dR
    E -= 0.1 * X.T @ dZ
    C -= 0.1 * dC
"""


def test_constants_of_a_quantised_code_are_not_accused(tmp_path):
    """van den Oord et al. 2017, VQ-VAE: the error goes straight through the code, and each term has its constant."""
    with pytest.raises(ValueError, match="the gradient of C is that of what line 10"):
        examined(tmp_path, QUANTISED)


def test_a_gradient_times_the_array_that_it_steps_may_be_meant(tmp_path):
    """W ∘ dW descends in another geometry; masks, and a number of the whole array as in LARS, do not."""
    for times in ("np.abs(W1) *", "(W1 + 4) *", "W1 ** 2 *"):
        with pytest.raises(ValueError, match="by what is made of W1 itself: right if that is meant, and wrong if not"):
            examined(tmp_path, PLAIN.replace("0.1 * dW1", f"0.1 * {times} dW1"))
    for times in ("(W1 != 0) *", "np.linalg.norm(W1) *", "np.linalg.norm(W1) / (1e-9 + np.linalg.norm(dW1)) *"):
        assert examined(tmp_path, PLAIN.replace("0.1 * dW1", f"0.1 * {times} dW1"))["verdict"] == "right", times


def test_a_copy_of_the_weights_that_goes_its_own_way_may_be_a_constant(tmp_path):
    """He et al. 2020, momentum contrast: the keys are encoded by an average of the weights, which begins as a copy."""
    text = """
import numpy as np
rng = np.random.default_rng(85)
X = rng.normal(size=(30, 6))
W = rng.normal(size=(6, 4)) * .4
average = W.copy()
for step in range(9):
    Q, K = np.tanh(X @ W), np.tanh(X[::-1] @ average)
    P = np.exp(Q @ K.T)
    P /= P.sum(1, keepdims=True)
    print(-np.log(np.diag(P)).mean())
    D = (P - np.eye(30)) / 30
    W = W - .3 * X.T @ (D @ K * (1 - Q ** 2))
    average = .9 * average + .1 * W
"""
    with pytest.raises(ValueError, match="kept from step to step is a constant"):
        examined(tmp_path, text)
    assert examined(tmp_path, text.replace("D @ K * (1 - Q ** 2)", "D @ K * (1 - Q)"))["verdict"] == "wrong"


SPARSE = PLAIN.replace("for _", "M = np.random.rand(4, 5) < 0.6\nW1 *= M\nfor _").replace(
    "    dZ2 = ", "    loss = loss + 0.05 * np.sum(W1 ** 2)\n    dZ2 = "
)


@pytest.mark.parametrize(
    "gradient",
    [
        "X.T @ dZ1 * M + 0.1 * W1",
        "X[:4].T @ dZ1[:4] * M + X[4:].T @ dZ1[4:] * M + 0.1 * W1",
        "np.array([[X[:, i] @ dZ1[:, j] if M[i, j] else 0 for j in range(5)] for i in range(4)]) + 0.1 * W1",
    ],
)
def test_where_nothing_is_connected_no_gradient_is_missing(tmp_path, gradient):
    """Weights that are 0 and stay so are no parameters, whichever terms of their gradient are masked."""
    text = SPARSE.replace("dW1, db1 = X.T @ dZ1", f"dW1, db1 = {gradient}")
    with pytest.raises(ValueError, match="right if nothing is connected there"):
        examined(tmp_path, text)
    assert examined(tmp_path, text.replace(*SLOPE))["verdict"] == "wrong"


@pytest.mark.parametrize(
    "changes",
    [
        {"b1, W2, b2": "W2", "np.zeros(5), ": "", ", np.zeros(3)\n": "\nb1 = b2 = np.zeros(5)\n", "(5, 3)": "(5, 5)",
         "eye(3)": "eye(5)", "% 3": "% 5"},
        {"np.random.randn(5, 3) / 2": "W1.T.copy()", "eye(3)": "eye(4)", "% 3": "% 4",
         "zeros(3)": "zeros(4)", "W1, b1, W2, b2 = np.random.randn(4, 5) / 2, ":
         "W1 = np.random.randn(4, 5) / 2\nb1, W2, b2 = "},
    ],
)  # fmt: skip
def test_two_arrays_that_begin_as_one_are_not_accused(tmp_path, changes):
    """Their derivatives by what they begin as are one number, the sum of both."""
    text = PLAIN
    for old, new in ({f"{p} -= ": f"{p} = {p} - " for p in ("W1", "b1", "W2", "b2")} | changes).items():
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(ValueError, match="no verdict"):
        examined(tmp_path, text)


def test_what_one_term_of_a_loss_makes_of_an_array_in_which_another_is_linear(tmp_path):
    """The last layer of a critic with a gradient penalty (Gulrajani et al. 2017), of which its gradient is not made."""
    text = """
import numpy as np
rng = np.random.default_rng(128)
U, v = rng.normal(size=(2, 6)) / 2, rng.normal(size=6) / 2
for step in range(9):
    a, b = rng.normal(size=(16, 2)) + 1, rng.normal(size=(16, 2))
    A, B = np.tanh(a @ U), np.tanh(b @ U)
    q = (1 - B ** 2) * v
    gap = (((q @ U.T) ** 2).sum(1) - 1) ** 2
    loss = (B @ v).mean() - (A @ v).mean() + gap.mean()
    gv = B.mean(0) - A.mean(0)
    dx = 4 * ((q @ U.T) ** 2).sum(1, keepdims=True) * (q @ U.T) / 16 - 4 * (q @ U.T) / 16
    gU = b.T @ ((1 - B ** 2) * v) / 16 - a.T @ ((1 - A ** 2) * v) / 16 + dx.T @ q
    gU = gU + b.T @ (dx @ U * v * -2 * B * (1 - B ** 2))
    U, v = U - gU / 10, v - gv / 10
"""
    with pytest.raises(ValueError, match=r"the gradient of v is that of what line 10 of net\.py adds to the loss"):
        examined(tmp_path, text)
    of_both = text.replace("gv / 10", "(gv + ((dx @ U) * (1 - B ** 2)).sum(0)) / 10")
    assert {p["name"]: p["right"] for p in examined(tmp_path, of_both)["parameters"]} == {"U": True, "v": True}


@pytest.mark.parametrize(
    ("change", "does"),
    [
        (("* (1 - A1 ** 2)", "* (1 - A1 ** 2) + 1e-3 * np.random.randn(9, 5)"), "adds"),
        (("X.T @ dZ1,", "X.T @ dZ1 + 1e-3 * np.random.randn(4, 5),"), "adds"),
        (("    dW1,", "    dZ1 = dZ1 / np.linalg.norm(dZ1)\n    dW1,"), "clips"),
        (("    dW1,", "    dZ1 *= 0.01 / max(0.01, np.sqrt(np.sum(dZ1 ** 2)))\n    dW1,"), "clips"),
    ],
)
def test_noise_in_an_error_and_its_size_may_be_meant(tmp_path, change, does):
    text = PLAIN.replace("    loss = -np.sum(Y * np.log(P)) / 9\n", "")
    for measure in ("", "    print(np.mean((P - Y) ** 2))\n"):
        with pytest.raises(ValueError, match=f"right but for what line 1[2-4] {does}"):
            examined(tmp_path, text.replace(*change) + measure)
    beside = text.replace(*change).replace("dZ2.sum(0)", "dZ2.sum()")
    if does == "clips":
        assert examined(tmp_path, beside)["verdict"] == "wrong"
        return
    with pytest.raises(ValueError, match=r"the gradient of W1 is right but for what line 1[23] adds"):
        examined(tmp_path, beside)  # W1 is not accused for the noise, beside b2


def test_what_is_to_be_what_a_trained_network_fails_at_climbs(tmp_path):
    """An adversarial example: it is stepped uphill, and the weights that it meets are trained by other lines."""
    attack = (
        "H = X @ W1 + b1\nA1 = np.tanh(H)\nE = np.exp(A1 @ W2 + b2)\nP = E / E.sum(1, keepdims=True)\n"
        "dX = ((P - Y) @ W2.T * (1 - A1 ** 2)) @ W1.T\nworse = X + 0.1 * np.sign(dX)\nprint(worse @ W1)\n"
    )
    assert examined(tmp_path, PLAIN + attack)["verdict"] == "right"
    assert examined(tmp_path, PLAIN.replace("W1 -= ", "W1 += ") + attack)["verdict"] == "wrong"
    shared = (
        "shift = np.zeros(4)\nfor _ in range(3):\n    A1 = np.tanh((X + shift) @ W1 + b1)\n"
        "    E = np.exp(A1 @ W2 + b2)\n"
        "    P = E / E.sum(1, keepdims=True)\n    print(-np.sum(Y * np.log(P)) / 9)\n"
        "    shift = shift + 0.1 * (((P - Y) @ W2.T * (1 - A1 ** 2)) @ W1.T).mean(0)\n"
    )
    said = examined(tmp_path, PLAIN + shared)
    assert said["verdict"] == "right"
    assert "right if it is to be what that fails at" in said["unjudged"][0]["why"]
    assert examined(tmp_path, PLAIN.replace("W1 -= ", "W1 += ") + shared)["verdict"] == "wrong"


BASELINE = """
import numpy as np
rng = np.random.default_rng(2)
X, A = rng.normal(size=(40, 3)), rng.integers(0, 4, 40)
R, W, V = (A == (X[:, 0] > 0)) * 1.0, rng.normal(size=(3, 4)) * 0.1, rng.normal(size=3) * 0.1
for _ in range(50):
    E = np.exp(X @ W)
    P, v = E / E.sum(1, keepdims=True), X @ V
    print(-np.mean((R - v) * np.log(P[np.arange(40), A])))
    d = (P - np.eye(4)[A]) * (R - v)[:, None] / 40
    W -= 0.5 * X.T @ d
    V -= 0.1 * X.T @ (v - R) / 40
"""


def test_what_rewards_are_compared_with_may_have_a_loss_of_its_own(tmp_path):
    with pytest.raises(ValueError, match=r"V is that of the squares of what line 12 of net\.py makes"):
        examined(tmp_path, BASELINE)
    said = examined(tmp_path, BASELINE.replace("(v - R) / 40", "((v - R) * v) / 40"))
    assert [f["line"] for f in said["findings"]] == [12]


def test_an_array_with_no_part_in_the_loss_may_be_for_another_one(tmp_path):
    """A temperature, say (Guo et al. 2017, on calibration). The slope of a loss that looks at no use of it is 0."""
    text = PLAIN.replace("for _", "T = np.array([1.5])\nfor _").replace("    dZ2 =", "    Z = A1 @ W2 + b2\n    dZ2 =")
    of_it = "    F = np.exp(Z / T)\n    T -= 0.1 * np.sum((F / F.sum(1, keepdims=True) - Y) * -Z / T ** 2) / 9\n"
    with pytest.raises(ValueError, match="right if it is to, as that of another loss, and wrong if not"):
        examined(tmp_path, text + of_it)
    said = examined(tmp_path, text + "    T -= 0.1 * np.sum((P - Y) * -Z / T ** 2) / 9\n")
    assert [f["code"] for f in said["findings"]] == ["should-be-zero"]


@pytest.mark.parametrize("step", ["D + 2 * dX.sum(0)", "np.clip(D + 2 * dX.sum(0), -0.1, 0.1)"])
def test_what_is_added_to_the_data_of_all_examples_may_climb(tmp_path, step):
    text = (
        PLAIN.replace("for _", "D = np.zeros(4)\nfor _").replace("X @ W1", "(X + D) @ W1").replace("X.T", "(X + D).T")
    )
    text = text.replace("    W1 -=", f"    dX = dZ1 @ W1.T\n    D = {step}\n    W1 -=")
    with pytest.raises(ValueError, match=r"what climbs is an input .* right if it is to be what that fails at"):
        examined(tmp_path, text)
    assert examined(tmp_path, text.replace("W1 -=", "W1 +="))["verdict"] == "wrong"


DEBIASED = """import numpy as np
rng = np.random.default_rng(5)
X = rng.normal(size=(60, 4))
y, s = (X[:, 0] > 0) * 1.0, (X[:, 1] > 0) * 1.0
w, u, c = rng.normal(size=4) * 0.1, 0.1, 0.0
sigmoid = lambda a: 1 / (1 + np.exp(-a))
entropy = lambda p, t: -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))
for _ in range(100):
    q = X @ w
    p, r = sigmoid(q), sigmoid(u * q + c)
    loss = entropy(p, y) - 0.5 * entropy(r, s)
    dq = (p - y) / 60 - 0.5 * (r - s) * u / 60
    gu, gc = ((r - s) * q).mean(), (r - s).mean()
    w = w - 0.5 * X.T @ dq
    u, c = u - 0.5 * gu, c - 0.5 * gc
"""


def test_an_adversary_descends_what_the_loss_of_others_takes_off(tmp_path):
    """An adversary learns what is to be hidden from it (Zhang et al. 2018), in one step with the network."""
    with pytest.raises(ValueError, match="c has a part only in what the loss of others takes off, and is stepped down"):
        examined(tmp_path, DEBIASED)
    # A head of its own, whose loss is added, has no reason to climb.
    added = DEBIASED.replace("- 0.5 * entropy", "+ 0.5 * entropy").replace("60 - 0.5", "60 + 0.5")
    added = added.replace("gu, gc = (", "gu, gc = -0.5 * (").replace(", (r - s)", ", -0.5 * (r - s)")
    assert examined(tmp_path, added)["verdict"] == "wrong"


INNER_STEP = """import numpy as np
rng = np.random.default_rng(25)
w = rng.normal(size=2)
for _ in range(100):
    meta, loss = np.zeros(2), 0
    for _ in range(4):
        X = np.c_[rng.normal(size=10), np.ones(10)]
        y = X @ rng.normal(size=2)
        g = X[:5].T @ (X[:5] @ w - y[:5]) / 5
        moved = w - 0.1 * g
        r = X[5:] @ moved - y[5:]
        loss += 0.5 * (r ** 2).mean()
        meta += X[5:].T @ r / 5
    w = w - 0.1 * meta / 4
    print(loss / 4)
"""


def test_a_step_within_the_forward_pass_may_be_a_constant(tmp_path):
    """First-order MAML (Finn et al. 2017, 5.2)."""
    with pytest.raises(ValueError, match=r"right if what line 10 of net\.py makes is a constant, and wrong if not"):
        examined(tmp_path, INNER_STEP)
    whole = INNER_STEP.replace("X[5:].T @ r /", "(np.eye(2) - 0.1 * X[:5].T @ X[:5] / 5) @ X[5:].T @ r /")
    assert examined(tmp_path, whole)["verdict"] == "right"


SADDLE = """
import numpy as np
rng = np.random.default_rng(2)
X, A, c = rng.normal(size=(30, 3)), rng.normal(size=(2, 3)), rng.normal(size=2)
y, w, m = X @ [2.0, -1, 1], np.zeros(3), np.ones(2)
for _ in range(9):
    e, off = X @ w - y, A @ w - c
    print(np.mean(e ** 2) / 2 + m @ off)
    dw = X.T @ e / 30 + A.T @ m
    w -= 0.1 * dw
    m += 0.1 * off
"""


def test_what_climbs_where_the_loss_curves_downwards_may_be_a_multiplier(tmp_path):
    concave = SADDLE.replace("+ m @ off)", "+ m @ off - m @ m)").replace("0.1 * off", "0.1 * (off - 2 * m)")
    perturbed = SADDLE.replace("X @ w", "(X + D) @ w").replace("m += 0.1 * off", "D += 0.1 * np.outer(e, w)")
    perturbed = perturbed.replace("for _", "D = np.zeros((30, 3))\nfor _").replace("X.T @ e", "(X + D).T @ e")
    *before, of_w, of_d = perturbed.splitlines(keepends=True)
    perturbed = "".join([*before, of_d.replace("0.1", "0.1 / 30"), of_w])
    for name, text in (("m", SADDLE), ("m", concave), ("D", perturbed)):
        with pytest.raises(ValueError, match=f"{name} is stepped uphill, and others are not: right if it is meant"):
            examined(tmp_path, text)
    said = examined(tmp_path, SADDLE.replace("w -= 0.1 * dw", "w += 0.1 * dw").replace("m += ", "m -= "))
    assert [f["code"] for f in said["findings"]] == ["wrong-sign"]


ALIKE = """
import numpy as np
rng = np.random.default_rng(61)
X = rng.normal(size=(20, 5))
W, b, P, c = rng.normal(size=(5, 4)) / 2, np.zeros(4), rng.normal(size=(4, 4)) / 2, np.zeros(4)
for _ in range(9):
    one, other = X + 0.2 * rng.normal(size=X.shape), X + 0.2 * rng.normal(size=X.shape)
    z, target = np.tanh(one @ W + b), np.tanh(other @ W + b)
    q = z @ P + c
    loss = np.sum((q - target) ** 2) / 40
    e = (q - target) / 20
    dP, dc = z.T @ e, e.sum(0)
    dZ = e @ P.T * (1 - z ** 2)
    dW, db = one.T @ dZ, dZ.sum(0)
    W -= 0.1 * dW
    b -= 0.1 * db
    P -= 0.1 * dP
    c -= 0.1 * dc
"""
OF_A_TEACHER = ALIKE.replace("for _", "V, a = W.copy(), b.copy()\nfor _").replace("other @ W + b", "other @ V + a") + (
    "    V += 0.1 * (W - V)\n    a += 0.1 * (b - a)\n"
)
RUNNING = """
import numpy as np
rng = np.random.default_rng(62)
X, Y = rng.normal(2, 2, size=(30, 4)), rng.normal(size=(30, 1))
W, V, c, mean = rng.normal(size=(4, 5)) / 2, rng.normal(size=(5, 1)) / 2, np.zeros(1), np.zeros(5)
for _ in range(9):
    z = X @ W
    mean = 0.9 * mean + 0.1 * z.mean(0)
    h = np.tanh(z - mean)
    e = (h @ V + c - Y) / 30
    print(np.sum(e ** 2) * 15)
    dV = h.T @ e
    dW = X.T @ (e @ V.T * (1 - h * h))
    W -= 0.1 * dW
    V -= 0.1 * dV
    c -= 0.1 * e.sum(0)
"""


@pytest.mark.parametrize(
    ("text", "right", "wrong", "accused"),
    [
        (ALIKE, "dc = z.T @ e, e.sum(0)", "dc = z.T @ e, e.mean(0)", ["c"]),
        (ALIKE, "one.T @ dZ, dZ", "one.T @ (dZ * z), dZ", ["W"]),
        (OF_A_TEACHER, "dP, dc = z.T", "dP, dc = target.T", ["P"]),
        (RUNNING, "e.sum(0)", "e.mean(0)", ["c"]),
    ],
)
def test_what_is_right_with_a_constant_is_not_accused_beside_what_is_wrong(tmp_path, text, right, wrong, accused):
    """Whether it is meant or not (Chen and He 2021; Grill et al. 2020): what is wrong is so by both readings."""
    with pytest.raises(ValueError, match="is a constant, and wrong if not"):
        examined(tmp_path, text)
    said = examined(tmp_path, text.replace(right, wrong))
    assert [p["name"] for p in said["parameters"] if not p["right"]] == accused
    assert {f["at"] for f in said["findings"]} == {f"d{name}" for name in accused}
    assert "as a constant" in said["truth"]


def test_what_is_right_by_another_reading_is_not_accused_beside_what_is_wrong(tmp_path):
    text = FIXED_POINT.replace("X.T @ dZ, z.T", "X.T @ (dZ * s), z.T")
    with pytest.raises(ValueError, match="the gradient of W is right where an iteration comes to a fixed point"):
        examined(tmp_path, text)
    with pytest.raises(ValueError, match=r"the error that comes back to F from line 9 of net\.py is turned"):
        examined(tmp_path, REVERSED.replace("A.T @ (q - d)", "(A * A).T @ (q - d)"))


COUNTED = """
import numpy as np
rng = np.random.default_rng(63)
X, weight = rng.normal(size=(40, 4)), rng.uniform(0.5, 3, 40)
y = (X[:, 0] + rng.normal(size=40) > 1) * 1.0
w, b = rng.normal(size=4) / 2, 0.0
for _ in range(9):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    each = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    print(each.mean())
    e = weight * (p - y) / 40
    w -= 0.3 * X.T @ e
    b -= 0.3 * e.sum()
"""


@pytest.mark.parametrize(
    "error",
    [
        "weight * (p - y) / 40",
        "np.where(y == 1, 5 * (p - 1), p) / 40",
        "(1 + 3 * y) * (p - y) / 40",
        "np.exp(-each) * (p - y) / 40",
        "(each < 1) * (p - y) / 40",
    ],
)
def test_examples_of_one_output_that_count_differently_are_not_accused(tmp_path, error):
    """Weights of examples or classes, and those of how far each is off (Kumar et al. 2010, self-paced learning)."""
    text = COUNTED.replace("weight * (p - y) / 40", error)
    with pytest.raises(ValueError, match="right if examples are to count differently, as line 11 has it"):
        examined(tmp_path, text)
    assert examined(tmp_path, text.replace("X.T @ e", "X.T @ (p - y) / 40"))["verdict"] == "wrong"


@pytest.mark.parametrize("error", ["X[:, 0] * (p - y) / 40", "p * (p - y) / 40", "p * (1 - p) * (p - y) / 40"])
def test_what_a_slope_or_an_input_makes_of_an_error_is_no_weight(tmp_path, error):
    assert examined(tmp_path, COUNTED.replace("weight * (p - y) / 40", error))["verdict"] == "wrong"


def test_a_module_of_a_sibling_folder_may_be_another_project_s(tmp_path):
    """Python would not find it there. What lies below the program is its own."""
    program, slope = tmp_path / "bert" / "net.py", "def slope(A):\n    return {}\n"
    for folder in ("anna", "bert/parts"):
        (tmp_path / folder).mkdir(parents=True)
    text = PLAIN.replace("(1 - A1 ** 2)", "slope(A1)")
    program.write_text(text.replace("import numpy as np\n", "import numpy as np\nfrom slopes import slope\n"))
    module = tmp_path / "anna" / "slopes.py"
    module.write_text(slope.format("1 - A ** 2"))
    said = verdict(program, tmp_path)
    assert said.verdict == "right"
    assert any("slopes is not where Python looks for it: anna/slopes.py" in note for note in said.notes)
    module.write_text(slope.format("1 - A"))
    with pytest.raises(ValueError, match=r"anna/slopes\.py, which Python would not find"):
        verdict(program, tmp_path)
    (program.parent / "parts" / "slopes.py").write_text(slope.format("1 - A"))
    assert verdict(program, tmp_path).verdict == "wrong"
