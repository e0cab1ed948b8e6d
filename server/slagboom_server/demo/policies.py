"""The companies' policies, changed just enough to run on one machine.

The origins become those of the demo, a parameter the company has not given yet gets a demo value,
and in `local` mode the vendors' hosts become the stand-ins'. Everything else stays the real policy.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from slagboom_banner.model import Embed, ScriptStep, is_unknown
from slagboom_server.demo.hosts import SUFFIX, site_origin, vendor_origin

if TYPE_CHECKING:
    from slagboom_banner.load import LoadedPolicy
    from slagboom_banner.model import Service, ServiceUse, Step
    from slagboom_server.demo.hosts import VendorMode

_DEMO_PARAMETERS = {"measurement_id": "G-DEMO000000", "site_id": "LI-0123456789ABC"}
_HTTPS = "https://"


def _move_step(step: Step, port: int) -> Step:
    if not isinstance(step, ScriptStep):
        return step
    host, slash, rest = step.src.removeprefix(_HTTPS).partition("/")
    return step.model_copy(update={"src": f"{vendor_origin(host, 'local', port)}{slash}{rest}"})


def _move_service(service: Service, port: int) -> Service:
    """The service with every vendor host replaced by its stand-in's."""
    embed = service.embed
    return service.model_copy(
        update={
            "hosts": tuple(host + SUFFIX for host in service.hosts),
            "load": tuple(_move_step(step, port) for step in service.load),
            "embed": embed
            and Embed.model_construct(
                hosts=tuple(host + SUFFIX for host in embed.hosts),
                use_host=embed.use_host and embed.use_host + SUFFIX,
            ),
        }
    )


def _fill_use(use: ServiceUse) -> ServiceUse:
    parameters = {
        name: _DEMO_PARAMETERS.get(name, value) if is_unknown(value) else value
        for name, value in use.parameters.items()
    }
    return use.model_copy(update={"parameters": parameters})


def adapt_policy(loaded: LoadedPolicy, port: int, vendors: VendorMode) -> LoadedPolicy:
    """The policy as the demo serves it on `port`."""
    policy = loaded.policy
    origin = site_origin(policy.site, port)
    return dataclasses.replace(
        loaded,
        policy=policy.model_copy(
            update={
                "origins": (origin, origin.replace("://", "://www.")),
                "cookie_domain": policy.site + SUFFIX,
                "services": tuple(_fill_use(use) for use in policy.services),
            }
        ),
        services=loaded.services
        if vendors == "real"
        else tuple(_move_service(service, port) for service in loaded.services),
    )
