"""MNIST to 97.5 % in PyTorch, eager: 784-128-10, Adam, cosine schedule, cross-entropy. The argument is the seed."""
# pyright: reportMissingImports=false

import sys

import torch
from mnist import load
from torch import nn

EPOCHS, BATCH, RATE = 3, 128, 0.01

torch.manual_seed(int(sys.argv[1]))
(X_train, y_train), (X_test, y_test) = (
    (torch.from_numpy(inputs), torch.tensor(labels, dtype=torch.long))
    for inputs, labels in map(load, ("train", "t10k"))
)
model = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
optimizer = torch.optim.Adam(model.parameters(), RATE, fused=True)
steps = len(X_train) // BATCH
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * steps)
for epoch in range(EPOCHS):
    for batch in torch.randperm(len(X_train)).split(BATCH)[:steps]:
        loss = nn.functional.cross_entropy(model(X_train[batch]), y_train[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        accuracy = (model(X_test).argmax(dim=1) == y_test).float().mean().item()
    print(f"epoch {epoch + 1}: {accuracy:.2%}")
    if accuracy >= 0.975:
        break
