"""The drawing of a network: diagram, boxes and links, as SVG, PNG, Mermaid or Graphviz."""
