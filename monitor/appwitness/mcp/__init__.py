"""The MCP server, by which an assistant asks for findings and evidence: masked, bounded, foreign text marked."""
