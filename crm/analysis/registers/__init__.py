"""Public registers and stated counts, read from the files as they are published.

One module a register: `gender_pay` (UK employers), `nhs` (trusts, sites, staff, hospitals),
`member_counts` (members stated by a union or a survey). Each reader takes an open binary stream,
plain or gzip, and returns `(rows, problems)`: frozen rows in file order, and a sentence for each
row or cell that could not be used. A file of another kind raises `crm.domain.errors.Refusal`.
Nothing is written here: the caller decides what a problem means for the load.
"""
