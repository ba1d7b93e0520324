"""Pages of docs/ that say what the tests show: ``make docs`` writes them."""
