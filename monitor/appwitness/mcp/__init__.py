"""The MCP server, through which an assistant reads findings and evidence: masked, bounded, foreign text marked."""
