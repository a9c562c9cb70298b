"""`python -m backprop` = `backprop`."""

from backprop.cli import main

raise SystemExit(main())
