"""`sayso openapi`."""

import click


@click.command()
def openapi() -> None:
    """Print the API as OpenAPI 3.1, the same bytes every time."""
    from sayso.server.openapi import text

    click.echo(text(), nl=False)
