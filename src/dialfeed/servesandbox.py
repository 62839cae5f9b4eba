"""The sandbox as a person meets it: served on this machine until Ctrl-C."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import click

from dialfeed.errors import FixSettings
from dialfeed.sandbox import Settings, serve


def serve_sandbox(port: int, names: Sequence[str], rate: str) -> None:
    """Serve a stand-in for the platform on this machine until a signal comes.

    Args:
        port: On 127.0.0.1; 0 takes a free one.
        names: Contact lists to make.
        rate: Requests a second, or `unlimited`.

    Raises:
        FixSettings: The port is taken, or the rate has no meaning.
    """
    settings = Settings(rate_limit=_rate(rate))

    def tell(url: str) -> None:
        click.echo(
            f"Sandbox at {url}, with the {'list' if len(names) == 1 else 'lists'} {', '.join(names)}. Ctrl-C stops it.",
            err=True,
        )
        click.echo(
            f"export CXONE_BASE_URL={url} CXONE_CLIENT_ID={settings.client_id}"
            f" CXONE_CLIENT_SECRET={settings.client_secret}"
        )

    try:
        asyncio.run(serve(settings=settings, port=port, lists=names, on_ready=tell))
    except OSError:
        raise FixSettings(f"Port {port} cannot be used.", advice="Choose another with --port, or 0 for any.") from None


def _rate(text: str) -> int | None:
    if text.strip().lower() in {"unlimited", "none", "0"}:
        return None
    if not text.strip().isdigit():
        raise FixSettings("--rate: a whole number, or `unlimited`, is expected.")
    return int(text)
