"""The code of the notebook, cell by cell; the prose is in the .zh.md and .en.md beside it."""

# %% setup
import hashlib
import io

import torch
from torch import nn
from torch.nn import functional as F

_ = torch.manual_seed(0)
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)  # so that no rounding shows


# %% task
def questions(size, n_pairs=8):
    """Contexts of letter-digit pairs, the letter asked for, and its digit."""
    letters = torch.rand(size, 26).argsort(-1)[:, :n_pairs]  # different letters
    digits = torch.randint(10, (size, n_pairs))
    slot = torch.randint(n_pairs, (size, 1))
    return letters, digits, letters.gather(1, slot), digits.gather(1, slot)[:, 0]


letters, digits, asked, answer = questions(size=1, n_pairs=4)
pairs = [f"{chr(97 + a)}{d}" for a, d in zip(letters[0], digits[0], strict=True)]
print(*pairs, f"{chr(97 + asked.item())}?", "->", answer.item())


# %% model
class Lookup(nn.Module):
    def __init__(self, d_model=64, d_k=16):
        super().__init__()
        self.register_buffer("embedding", torch.randn(37, d_model) / 2**0.5)
        self.W_Q = nn.Parameter(torch.randn(d_model, d_k) / d_model**0.5)
        self.W_K = nn.Parameter(torch.randn(d_model, d_k) / d_model**0.5)
        self.W_V = nn.Parameter(torch.randn(d_model, d_k) / d_model**0.5)
        self.W_O = nn.Parameter(torch.randn(d_k, 10) / d_k**0.5)

    def project(self, letters, digits, asked):
        e = self.embedding
        context = e[letters] + e[26 + digits]  # (size, n_pairs, d_model)
        question = e[asked] + e[36]  # (size, 1, d_model)
        return question @ self.W_Q, context @ self.W_K, context @ self.W_V

    def forward(self, letters, digits, asked):
        Q, K, V = self.project(letters, digits, asked)
        output = F.scaled_dot_product_attention(Q, K, V)  # (size, 1, d_k)
        return (output @ self.W_O)[:, 0]  # (size, 10)


model = Lookup()
for name, parameter in model.named_parameters():
    print(name, tuple(parameter.shape), f"std {parameter.std().item():.2f}")


# %% accuracy
def accuracy(model):
    *context, answer = questions(1000)
    return (model(*context).argmax(-1) == answer).double().mean().item()


print(f"{accuracy(model):.2f}")

# %% train
start = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}


def moved(name):
    now = model.get_parameter(name)
    return ((now - start[name]).norm() / start[name].norm()).item()


optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
print("step  loss   W_Q   W_K   W_V")
for step in range(101):
    *context, answer = questions(128)
    loss = F.cross_entropy(model(*context), answer)
    if step % 20 == 0:
        distances = "  ".join(f"{moved(name):.2f}" for name in ["W_Q", "W_K", "W_V"])
        print(f"{step:4}  {loss.item():.2f}  {distances}")
    optimizer.zero_grad()
    loss.backward()  # from the loss back to every parameter: its gradient
    optimizer.step()  # every parameter moves a little, guided by its gradients

# %% after
print(f"{accuracy(model):.2f}")


# %% fingerprints
def fingerprint(tensor):
    return hashlib.sha256(tensor.detach().numpy().tobytes()).hexdigest()


def fingerprints(model):
    return {name: fingerprint(parameter) for name, parameter in model.named_parameters()}


before = fingerprints(model)

# %% inference
seen = {"Q": set(), "K": set(), "V": set()}
with torch.inference_mode():
    for _ in range(1000):
        *context, answer = questions(1)
        for name, tensor in zip("QKV", model.project(*context), strict=True):
            seen[name].add(fingerprint(tensor))
        model(*context)

print({name: len(kinds) for name, kinds in seen.items()})
print("matrices unchanged:", fingerprints(model) == before)

# %% without-step
model.train()
*context, answer = questions(128)
F.cross_entropy(model(*context), answer).backward()
print("after backward(), unchanged:", fingerprints(model) == before)

model.eval()
optimizer.step()
print("after step() in eval mode, unchanged:", fingerprints(model) == before)

# %% checkpoint
file = io.BytesIO()
torch.save(model.state_dict(), file)
_ = file.seek(0)
print(list(torch.load(file)))

# %% load
stranger = Lookup()
print(f"random: {accuracy(stranger):.2f}")
_ = stranger.load_state_dict(model.state_dict())
print(f"loaded: {accuracy(stranger):.2f}")
print("the same matrices:", fingerprints(stranger) == fingerprints(model))
