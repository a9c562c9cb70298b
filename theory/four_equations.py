"""`python -m theory.four_equations`: the door to the chapter."""

from theory.chapters.chapter import print_chapter
from theory.chapters.networks.four_equations import CHAPTER

if __name__ == "__main__":
    print_chapter(CHAPTER)
