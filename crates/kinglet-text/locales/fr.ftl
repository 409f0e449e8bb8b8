# Ce que disent les rapports de kinglet. Les clés des fichiers y figurent telles quelles.

## Erreurs

error-toml = ce n'est pas du TOML : { $what }
error-unknown-key-near = clé inconnue { $given } ; vouliez-vous dire { $nearest } ?
error-unknown-key = clé inconnue { $given } ; les clés connues sont : { $known }
error-unknown-value-near = valeur inconnue « { $given } » ; vouliez-vous dire « { $nearest } » ?
error-unknown-value = valeur inconnue « { $given } » ; les valeurs connues sont : { $known }
error-unknown-country-near = il n'y a pas de pays « { $given } » ; vouliez-vous dire « { $nearest } » ?
error-unknown-country = il n'y a pas de pays « { $given } » ; donnez un code ISO 3166 de trois lettres ou un nom anglais
error-not-a-number = { $value } n'est pas un nombre ; donnez-en un
error-not-a-text = il faut ici un texte entre guillemets
error-not-a-bool = il faut ici true ou false
error-not-a-table = il faut ici une table, [{ $key }]
error-not-tables = il faut ici une liste de tables, [[{ $key }]]
error-not-whole = { $value } n'est pas un nombre entier ; donnez-en un
error-range = { $value } est hors limites ; donnez une valeur de { $low } à { $high }
error-missing = il manque { $key } ; donnez-le aussi
error-either = { $keys } disent la même chose ; n'en donnez qu'une
error-stray = { $key } n'a pas de sens à côté de { $first } ; enlevez l'une des deux
error-use-stage-twice = [use] calcule la phase d'utilisation ; enlevez ceci, ou [use]
error-no-choices = le jeu de données { $data } n'a pas de valeurs pour cela ; donnez un nombre de kg
error-preset-of-other = le préréglage { $preset } appartient au jeu de données { $other }, non à { $data } ; enlevez data
error-no-clock = l'horloge de { $board } n'est pas publiée ; donnez macs au lieu de cycles
error-no-macs = une carte seule ne dit rien ; donnez un modèle, ou macs, ou cycles
error-overflow = les nombres sont trop grands ; donnez-en de plus petits
