# What kinglet's reports say. Keys of files stand in the texts as they are.

## Errors

error-toml = this is not TOML: { $what }
error-unknown-key-near = unknown key { $given }; did you mean { $nearest }?
error-unknown-key = unknown key { $given }; known are: { $known }
error-unknown-value-near = unknown value "{ $given }"; did you mean "{ $nearest }"?
error-unknown-value = unknown value "{ $given }"; known are: { $known }
error-unknown-country-near = there is no country "{ $given }"; did you mean "{ $nearest }"?
error-unknown-country = there is no country "{ $given }"; give an ISO 3166 code of three letters, or an English name
error-not-a-number = { $value } is not a number; give one
error-not-a-text = this has to be a text in quotes
error-not-a-bool = this has to be true or false
error-not-a-table = this has to be a table, [{ $key }]
error-not-tables = this has to be a list of tables, [[{ $key }]]
error-not-whole = { $value } is not a whole number; give one
error-range = { $value } is out of range; give { $low } to { $high }
error-missing = { $key } is missing; give it too
error-either = { $keys } say the same thing; give one of them
error-stray = { $key } means nothing beside { $first }; leave one of them out
error-use-stage-twice = [use] computes the use stage; leave this out, or [use]
error-no-choices = the data set { $data } has no values for it; give a number of kg
error-preset-of-other = preset { $preset } belongs to the data set { $other }, not { $data }; leave data out
error-no-clock = the clock of { $board } is not published; give macs instead of cycles
error-no-macs = a board alone says nothing; give a model, or macs, or cycles
error-overflow = the numbers are too large; give smaller ones
