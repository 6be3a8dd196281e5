"""The MCP server, through which an assistant reads findings and evidence: values are masked, sizes bounded, foreign
text marked."""
