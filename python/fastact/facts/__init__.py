"""Facts about the functions, as data: documentation, formulas, and equivalents in other libraries."""
