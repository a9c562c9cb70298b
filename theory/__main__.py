"""`python -m theory [TOPIC …]`"""

from theory.chapters.book import main

raise SystemExit(main())
