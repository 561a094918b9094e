"""Models on the Hugging Face hub: uploading and fetching a folder, with what goes wrong in one sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dapt.console import say
from dapt.data.fetch.hub_files import NETWORK, bars, endpoint
from dapt.data.hub.export import size_text
from dapt.errors import ConfigError, DaptError, ModelError
from dapt.strict import shown
from dapt.wording import counted

HUB = "https://huggingface.co"
LOG_IN = "Log in with 'hf auth login' or set HF_TOKEN."
REFUSALS = {
    401: ("The hub does not know you, so it refuses {name}.", LOG_IN),
    403: (
        "The hub does not let you do that with {name}.",
        "Check the owner before the slash, and what your token may.",
    ),
    404: ("There is no {name} on the hub, or it is private.", f"Check the spelling. {LOG_IN}"),
    409: ("The hub refuses {name}: it was changed meanwhile, or another kind of thing has its name.", "Try again."),
}


def upload(
    name: str, folder: Path, files: Sequence[str], *, private: bool | None = None, token: str | None = None
) -> str:
    """Upload files of a folder, after saying what, how big and where to; the repository is made if it is not there.

    Args:
        name: ``OWNER/NAME``. private: of a new repository; None: as the owner has set it.

    Returns:
        the address of the repository.

    Raises:
        ConfigError: that cannot be a name. ModelError: the hub refuses, or cannot be reached.
    """
    from huggingface_hub import HfApi

    address = f"{endpoint() or HUB}/{name}"
    size = sum((folder / file).stat().st_size for file in files)
    with explained(name), bars():
        api = HfApi(endpoint=endpoint(), token=token)
        check_name(name)
        say(f"Uploading {counted(len(files), 'file')} ({', '.join(files)}; {size_text(size)}) to {address}.")
        api.create_repo(name, private=private, exist_ok=True)
        api.upload_folder(
            repo_id=name, folder_path=folder, allow_patterns=list(files), commit_message="A classifier made with dapt"
        )
    return address


def fetch(name: str, files: Sequence[str], *, revision: str | None = None, token: str | None = None) -> Path:
    """The local copy of files of a repository, fetched unless the cache has them.

    Raises:
        ConfigError: that cannot be a name. ModelError: there is none, or the hub cannot be reached.
    """
    from huggingface_hub import constants, snapshot_download

    with explained(name), bars():
        check_name(name)
        say(f"Fetching {name} from {endpoint() or HUB} to {constants.HF_HUB_CACHE}, as far as it is not there.")
        found = snapshot_download(name, revision=revision, allow_patterns=list(files), endpoint=endpoint(), token=token)
    return Path(found)


def check_name(name: str) -> None:
    """Refuse what cannot be the name of a repository.

    Raises:
        ConfigError: it is no text, lacks its owner, or has letters that the hub does not take.
    """
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    if not isinstance(name, str):
        raise ConfigError(f"{shown(name)} cannot be a name on the hub.", todo="Write OWNER/NAME.")
    with explained(name):
        validate_repo_id(name)
    if "/" not in name:
        raise ConfigError(f"'{name}' lacks its owner.", todo="Write OWNER/NAME.")


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn what `huggingface_hub` and the packages under it raise into a sentence that names what the user typed."""
    try:
        yield
    except DaptError:
        raise
    except Exception as error:
        kinds = {kind.__name__ for kind in type(error).__mro__}
        packages = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
        if not packages & {*NETWORK} and not isinstance(error, OSError):
            raise
        if "HFValidationError" in kinds:
            raise ConfigError(f"'{name}' cannot be a name on the hub.", todo="Write OWNER/NAME.") from error
        status = getattr(getattr(error, "response", None), "status_code", None)
        if "GatedRepoError" in kinds:
            what, todo = "{name} is only given to people who accepted its terms.", f"Accept them there. {LOG_IN}"
        elif "RevisionNotFoundError" in kinds:
            what, todo = "{name} on the hub has no such revision.", "Check revision=."
        elif "LocalTokenNotFoundError" in kinds:
            what, todo = REFUSALS[401]
        elif "RepositoryNotFoundError" in kinds:
            what, todo = REFUSALS[404]
        elif status in REFUSALS:
            what, todo = REFUSALS[status]
        elif status is not None:
            what, todo = f"The hub answers {status} for {{name}}.", "Try again later."
        elif "huggingface_hub" in packages and not isinstance(error, OSError):
            first = (str(error).strip() or type(error).__name__).splitlines()[0].replace("{", "(").replace("}", ")")
            what, todo = f"What the hub answers for {{name}} is not understood: {first}", "Check HF_ENDPOINT."
        else:
            what, todo = "The hub cannot be reached for {name}.", "Check the network, and HF_ENDPOINT if you set it."
        raise ModelError(what.format(name=name), where=endpoint() or HUB, todo=todo) from error
