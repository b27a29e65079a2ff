"""REINFORCE with a baseline on a bandit with states: cross-entropy weighted by the advantage, less entropy."""
import numpy as np

rng = np.random.default_rng(99)
N_STATES, N_HIDDEN, N_ACTIONS, EPISODES = 6, 9, 4, 20
best = rng.integers(0, N_ACTIONS, N_STATES)
ENTROPY = 0.05
GAMMA = 0.9

model = {
    'W1': rng.normal(size=(N_HIDDEN, N_STATES)) / np.sqrt(N_STATES),
    'W2': rng.normal(size=(N_ACTIONS, N_HIDDEN)) / np.sqrt(N_HIDDEN),
}
rmsprop_cache = {k: np.zeros_like(v) for k, v in model.items()}


def policy_forward(states):
    h = np.maximum(0, states @ model['W1'].T)
    logits = h @ model['W2'].T
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True), h


def policy_backward(states, h, p, chosen, advantage):
    n = len(states)
    dp = (ENTROPY * (np.log(p) + 1) - chosen * advantage[:, None] / p) / n
    dlogits = p * (dp - (dp * p).sum(axis=1, keepdims=True))
    dW2 = dlogits.T @ h  # wrong: dW2 = (dlogits * advantage[:, None]).T @ h
    dh = dlogits @ model['W2']  # wrong: dh = (dlogits * chosen) @ model['W2']
    dh[h <= 0] = 0  # wrong: dh[dh <= 0] = 0
    dW1 = dh.T @ states  # wrong: dW1 = dh.T @ states / n
    return {'W1': dW1, 'W2': dW2}


def discount(rewards):
    returns = np.zeros(len(rewards))
    running = 0.0
    for t in reversed(range(len(rewards))):
        running = rewards[t] + GAMMA * running
        returns[t] = running
    return (returns - returns.mean()) / returns.std()


for episode in range(EPISODES):
    places = rng.integers(0, N_STATES, 15)
    states = np.eye(N_STATES)[places] + 0.1 * rng.normal(size=(15, N_STATES))
    # parameters: model
    p, h = policy_forward(states)
    actions = rng.integers(0, N_ACTIONS, 15)  # explores at random
    chosen = np.eye(N_ACTIONS)[actions]
    rewards = (actions == best[places]).astype(float)
    advantage = discount(rewards)
    loss = np.mean(-np.log((p * chosen).sum(axis=1)) * advantage) + ENTROPY * np.mean((p * np.log(p)).sum(axis=1))
    grads = policy_backward(states, h, p, chosen, advantage)
    # gradients: loss, grads
    for k, v in model.items():
        rmsprop_cache[k] = 0.99 * rmsprop_cache[k] + 0.01 * grads[k] ** 2
        model[k] -= 0.01 * grads[k] / (np.sqrt(rmsprop_cache[k]) + 1e-5)
    if episode % 5 == 0:
        print(f'episode {episode}: loss {loss:.3f}, reward {rewards.sum():.0f}')
