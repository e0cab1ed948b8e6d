"""`make bench`: what Slagboom costs, beside what others cost. Prints ratios, asserts nothing."""
