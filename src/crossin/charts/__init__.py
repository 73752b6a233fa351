"""Plots as SVG, and pages that hold them: one HTML file each, which needs no network."""
