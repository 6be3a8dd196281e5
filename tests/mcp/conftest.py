"""An assistant: the SDK's own client, which starts `appwitness mcp` and checks each answer against its schema."""

import os
import sys
from contextlib import contextmanager

import pytest
from anyio.from_thread import start_blocking_portal
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client


class Assistant:
    """Calls tools of a server, one after the other."""

    def __init__(self, portal, client):
        self._portal = portal
        self._client = client

    def ask(self, tool, **arguments):
        """What a tool answers. The client itself checks it against the output schema of the tool."""
        result = self._portal.call(self._client.call_tool, tool, arguments)
        assert not result.is_error, result.content[0].text
        return result.structured_content

    def refused(self, tool, **arguments):
        """What a tool says that does not do it."""
        result = self._portal.call(self._client.call_tool, tool, arguments)
        assert result.is_error, result.structured_content
        return result.content[0].text

    def tools(self):
        """Name -> the tool as the server describes it."""
        return {each.name: each for each in self._portal.call(self._client.list_tools).tools}

    def resource(self, address):
        """The text of a resource."""
        return self._portal.call(self._client.read_resource, address).contents[0].text

    def resources(self):
        """The addresses of all resources, templates too."""
        listed = self._portal.call(self._client.list_resources).resources
        templates = self._portal.call(self._client.list_resource_templates).resource_templates
        return {str(each.uri) for each in listed} | {each.uri_template for each in templates}


@contextmanager
def assistant(home, *words, cwd=None):
    """An assistant whose server has `home` and these words of the command line."""
    server = StdioServerParameters(
        command=sys.executable,
        args=["-P", "-m", "appwitness", "mcp", "--quiet", *map(str, words)],
        env={**os.environ, "APPWITNESS_HOME": str(home), "APPWITNESS_RECORDINGS": str(home / "recordings")},
        cwd=cwd or home,
    )
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(Client(stdio_client(server))) as client:
        yield Assistant(portal, client)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """What the server of this module writes, and nothing else."""
    return tmp_path_factory.mktemp("home")
