"""The code of the notebook, cell by cell; the prose is in the .zh.md and .en.md beside it."""

# %% setup
import math
from collections import Counter

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from qkv_docs import causal_mask, multi_head_attention

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)  # so that other processors print the same


# %% text.en
lines = [
    "the house that Jack built.",
    "the malt\nThat lay in ",
    "the rat\nThat ate ",
    "the cat\nThat killed ",
    "the dog\nThat worried ",
    "the cow with the crumpled horn\nThat tossed ",
    "the maiden all forlorn\nThat milked ",
    "the man all tattered and torn\nThat kissed ",
    "the priest all shaven and shorn\nThat married ",
    "the cock that crowed in the morn\nThat waked ",
    "the farmer sowing his corn\nThat kept ",
]
verses = ["This is " + "".join(lines[i::-1]) for i in range(len(lines))]
text = "\n\n".join(verses) + "\n\n"
prompt = "This is the dog\n"
print(verses[3])

# %% text.zh
source = """
大学之道，在明明德，在亲民，在止于至善。知止而后有定，定而后能静，静而后能安，
安而后能虑，虑而后能得。物有本末，事有终始。知所先后，则近道矣。
古之欲明明德于天下者，先治其国。欲治其国者，先齐其家。欲齐其家者，先修其身。
欲修其身者，先正其心。欲正其心者，先诚其意。欲诚其意者，先致其知。致知在格物。
物格而后知至，知至而后意诚，意诚而后心正，心正而后身修，身修而后家齐，
家齐而后国治，国治而后天下平。自天子以至于庶人，壹是皆以修身为本。
其本乱而末治者，否矣。其所厚者薄，而其所薄者厚，未之有也。
所谓诚其意者，毋自欺也。如恶恶臭，如好好色，此之谓自谦。故君子必慎其独也。
小人闲居为不善，无所不至，见君子而后厌然，掩其不善，而著其善。人之视己，
如见其肺肝然，则何益矣。此谓诚于中，形于外。故君子必慎其独也。曾子曰：十目所视，
十手所指，其严乎。富润屋，德润身，心广体胖。故君子必诚其意。
所谓修身在正其心者，身有所忿懥，则不得其正；有所恐惧，则不得其正；有所好乐，
则不得其正；有所忧患，则不得其正。心不在焉，视而不见，听而不闻，食而不知其味。
此谓修身在正其心。
所谓齐其家在修其身者，人之其所亲爱而辟焉，之其所贱恶而辟焉，之其所畏敬而辟焉，
之其所哀矜而辟焉，之其所敖惰而辟焉。故好而知其恶，恶而知其美者，天下鲜矣。
故谚有之曰：人莫知其子之恶，莫知其苗之硕。此谓身不修不可以齐其家。
"""
text = source.replace("\n", "").replace("。", "。\n")  # one sentence a line
prompt = "欲正其心者，"
print(text[:46])

# %% tokens
vocabulary = sorted(set(text))
number = {character: i for i, character in enumerate(vocabulary)}
ids = torch.tensor([number[character] for character in text])  # (length,)
print(len(text), "characters,", len(vocabulary), "different")
print("predict nothing: loss", f"{math.log(len(vocabulary)):.2f}")


# %% norm
class RMSNorm(nn.Module):
    def __init__(self, d_model):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(d_model))

    def forward(self, x):  # (batch, n, d_model)
        size = x.square().mean(-1, keepdim=True).add(1e-6).sqrt()  # (batch, n, 1)
        return x / size * self.gain  # (batch, n, d_model)


x = torch.tensor([[3.0, -4.0, 0.0, 0.0], [300.0, -400.0, 0.0, 0.0]])
print(RMSNorm(4)(x).detach().numpy().round(2))


# %% attention
class CausalSelfAttention(nn.Module):
    def __init__(self, d_model, n_heads, causal=True):
        super().__init__()
        self.n_heads, self.causal = n_heads, causal
        self.qkv = nn.Linear(d_model, 3 * d_model, bias=False)  # W_Q, W_K, W_V in one
        self.out = nn.Linear(d_model, d_model, bias=False)  # W_O

    def forward(self, x):  # (batch, n, d_model)
        batch, n, d_model = x.shape
        heads = batch, n, self.n_heads, d_model // self.n_heads
        q, k, v = self.qkv(x).split(d_model, dim=-1)  # each (batch, n, d_model)
        q = q.view(heads).transpose(1, 2)  # (batch, n_heads, n, d_k)
        k = k.view(heads).transpose(1, 2)  # (batch, n_heads, n, d_k)
        v = v.view(heads).transpose(1, 2)  # (batch, n_heads, n, d_v)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        y = y.transpose(1, 2).reshape(batch, n, d_model)  # heads side by side
        return self.out(y)  # (batch, n, d_model)


# %% mlp
class MLP(nn.Module):
    def __init__(self, d_model):
        super().__init__()
        self.up = nn.Linear(d_model, 4 * d_model, bias=False)
        self.down = nn.Linear(4 * d_model, d_model, bias=False)

    def forward(self, x):  # (batch, n, d_model)
        return self.down(F.gelu(self.up(x)))  # (batch, n, d_model)


# %% block
class Block(nn.Module):
    def __init__(self, d_model, n_heads, causal):
        super().__init__()
        self.norm1, self.norm2 = RMSNorm(d_model), RMSNorm(d_model)
        self.attention = CausalSelfAttention(d_model, n_heads, causal)
        self.mlp = MLP(d_model)

    def forward(self, x):  # (batch, n, d_model)
        x = x + self.attention(self.norm1(x))  # rows exchange
        return x + self.mlp(self.norm2(x))  # each row alone


# %% model
class Decoder(nn.Module):
    def __init__(self, n_tokens, n_max=48, d_model=48, n_heads=4, n_layers=2, causal=True):
        super().__init__()
        self.n_max = n_max
        self.token = nn.Embedding(n_tokens, d_model)  # E
        self.position = nn.Embedding(n_max, d_model)  # P
        self.blocks = nn.ModuleList(Block(d_model, n_heads, causal) for _ in range(n_layers))
        self.norm = RMSNorm(d_model)
        for matrix in self.parameters():
            if matrix.ndim == 2:
                nn.init.normal_(matrix, std=0.02)

    def forward(self, ids):  # (batch, n)
        x = self.token(ids) + self.position.weight[: ids.shape[1]]  # (batch, n, d_model)
        for block in self.blocks:
            x = block(x)  # (batch, n, d_model)
        return self.norm(x) @ self.token.weight.T  # (batch, n, n_tokens): tied logits


_ = torch.manual_seed(0)
model = Decoder(len(vocabulary))
counts = Counter()
for name, parameter in model.named_parameters():
    part = next(p for p in ("token", "position", "attention", "mlp", "norm") if p in name)
    counts[part] += parameter.numel()
print(dict(counts), "together", counts.total())


# %% same
@torch.no_grad()
def same_as_qkv_docs(module, inputs, output):
    x = inputs[0]
    w_q, w_k, w_v = module.qkv.weight.T.chunk(3, dim=-1)  # each (d_model, d_model)
    expected, _ = multi_head_attention(
        *(tensor.numpy() for tensor in (x, w_q, w_k, w_v, module.out.weight.T)),
        n_heads=module.n_heads,
        mask=causal_mask(x.shape[1]),
    )
    print(type(module).__name__, tuple(output.shape), np.allclose(output, expected))


def compare(model):
    attentions = [block.attention for block in model.blocks]
    hooks = [module.register_forward_hook(same_as_qkv_docs) for module in attentions]
    with torch.no_grad():
        model(ids[None, : model.n_max])
    for hook in hooks:
        hook.remove()


compare(model)


# %% leak
@torch.no_grad()
def rows_that_change(model):
    window = ids[None, :8]  # (1, 8)
    other = window.clone()
    other[0, -1] = (other[0, -1] + 1) % len(vocabulary)  # another last character
    difference = (model(window) - model(other)).abs().amax(-1)  # (1, 8)
    return (difference[0] > 1e-12).nonzero()[:, 0].tolist()


print("rows that change with the last character:", rows_that_change(model))


# %% train
def batch_of(starts, n):
    windows = ids[starts[:, None] + torch.arange(n + 1)]  # (batch, n + 1)
    return windows[:, :-1], windows[:, 1:]  # both (batch, n): shifted by one


def train(model, steps):
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    slower = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, steps)
    for step in range(steps + 1):
        starts = torch.randint(len(ids) - model.n_max, (16,))
        x, y = batch_of(starts, model.n_max)
        loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())  # over 16 * 48 rows
        if step % 40 == 0:
            print(f"step {step:3}  loss {loss.item():.2f}")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        slower.step()


train(model, steps=320)


# %% generate
@torch.no_grad()
def generate(model, prompt, length=150):
    generated = [number[character] for character in prompt]
    for _ in range(length):
        window = torch.tensor([generated[-model.n_max :]])  # (1, n)
        logits = model(window)[0, -1]  # (n_tokens,): the last row alone
        chances = (2 * logits).softmax(-1)  # doubled: less daring
        generated.append(torch.multinomial(chances, 1).item())
    return "".join(vocabulary[i] for i in generated)


_ = torch.manual_seed(0)
print(generate(model, prompt))

# %% again
compare(model)
print("rows that change with the last character:", rows_that_change(model))

# %% bound
starts = torch.arange(len(ids) - model.n_max)  # every window of the text
pairs = Counter(zip(ids[starts].tolist(), ids[starts + 1].tolist(), strict=True))
first = Counter(ids[starts].tolist())
bound = sum(n * math.log(first[a] / n) for (a, b), n in pairs.items()) / len(starts)
print(f"after one character, no loss below {bound:.2f}")


@torch.no_grad()
def loss_by_row(model):
    x, y = batch_of(starts, model.n_max)
    loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten(), reduction="none")
    loss = loss.view(x.shape).mean(0)  # (n_max,)
    return f"row 0: {loss[0]:.2f}, last row: {loss[-1]:.2f}, all: {loss.mean():.2f}"


print(loss_by_row(model))

# %% forgotten
_ = torch.manual_seed(0)
open_model = Decoder(len(vocabulary), causal=False)
train(open_model, steps=320)
print(loss_by_row(open_model))

# %% rubbish
_ = torch.manual_seed(0)
print(generate(open_model, prompt))
print("rows that change with the last character:", rows_that_change(open_model))
