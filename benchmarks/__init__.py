"""Speed and memory of dapt beside a plain implementation and beside the machine's own limit.

`python -m benchmarks` measures everything and writes JSON, Markdown and pictures; `python -m benchmarks --short`
checks the exact work of a step against recorded budgets. See docs/performance.md.
"""
