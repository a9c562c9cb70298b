"""`python -m theory [TOPIC …]`"""

from theory.book import main

raise SystemExit(main())
