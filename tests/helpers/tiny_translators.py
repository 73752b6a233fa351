"""A small M2M100 that was taught a table of sentences in seconds, and the same in CTranslate2's form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SENTENCES = {
    "The cat sleeps.": ("El gato duerme.", "猫在睡觉。"),
    "The dog eats bread.": ("El perro come pan.", "狗吃面包。"),
    "She reads a book.": ("Ella lee un libro.", "她在读一本书。"),
    "We drink water.": ("Bebemos agua.", "我们喝水。"),
    "The sun is hot.": ("El sol está caliente.", "太阳很热。"),
    "It rains today.": ("Hoy llueve.", "今天下雨。"),
}
LANGUAGES = ("en", "es", "zh")


def write_model(folder: Path) -> Path:
    """Train the model, which takes some seconds, and save it with its tokenizer."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import M2M100Config, M2M100ForConditionalGeneration, PreTrainedTokenizerFast

    texts = [text for source, targets in SENTENCES.items() for text in (source, *targets)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", *(f"__{language}__" for language in LANGUAGES)]
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast: Any = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        additional_special_tokens=special[4:],
    )
    torch.manual_seed(0)
    model: Any = M2M100ForConditionalGeneration(
        M2M100Config(
            vocab_size=len(fast),
            d_model=64,
            encoder_layers=2,
            decoder_layers=2,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=128,
            decoder_ffn_dim=128,
            max_position_embeddings=128,
            dropout=0.0,
            attention_dropout=0.0,
            encoder_layerdrop=0.0,
            decoder_layerdrop=0.0,
            scale_embedding=True,
            bos_token_id=0,
            pad_token_id=1,
            eos_token_id=2,
            decoder_start_token_id=2,
        )
    )
    _teach(model, fast)
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def _teach(model: Any, tokenizer: Any) -> None:
    import torch

    rows = []
    for source, targets in SENTENCES.items():
        for language, target in zip(LANGUAGES[1:], targets, strict=True):
            one, other = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in (source, target))
            mark = tokenizer.convert_tokens_to_ids(f"__{language}__")
            rows.append(([tokenizer.convert_tokens_to_ids("__en__"), *one, 2], [mark, *other, 2]))
    width = max(len(row[0]) for row in rows), max(len(row[1]) for row in rows)
    ids = torch.tensor([one + [1] * (width[0] - len(one)) for one, _ in rows])
    labels = torch.tensor([other + [-100] * (width[1] - len(other)) for _, other in rows])
    begin = torch.full((len(rows), 1), 2)
    decoder = torch.cat([begin, labels[:, :-1].masked_fill(labels[:, :-1] < 0, 1)], 1)
    optimiser = torch.optim.AdamW(model.parameters(), 3e-3)
    model.train()
    for _ in range(150):
        loss = model(
            input_ids=ids, attention_mask=(ids != 1).long(), decoder_input_ids=decoder, labels=labels
        ).loss
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    model.eval()


def convert(model: Path, folder: Path) -> Path:
    """The model in CTranslate2's form, with the tokenizer beside it."""
    import ctranslate2.converters

    converter = ctranslate2.converters.TransformersConverter(
        str(model), copy_files=["tokenizer.json", "tokenizer_config.json"]
    )
    converter.convert(str(folder))
    return folder
