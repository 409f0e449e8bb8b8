# O que dizem os relatórios do kinglet. As chaves dos arquivos aparecem como são.

## Erros

error-toml = isto não é TOML: { $what }
error-unknown-key-near = chave desconhecida { $given }; quis dizer { $nearest }?
error-unknown-key = chave desconhecida { $given }; as conhecidas são: { $known }
error-unknown-value-near = valor desconhecido "{ $given }"; quis dizer "{ $nearest }"?
error-unknown-value = valor desconhecido "{ $given }"; os conhecidos são: { $known }
error-unknown-country-near = não existe o país "{ $given }"; quis dizer "{ $nearest }"?
error-unknown-country = não existe o país "{ $given }"; dê um código ISO 3166 de três letras ou um nome em inglês
error-not-a-number = { $value } não é um número; dê um
error-not-a-text = isto tem de ser um texto entre aspas
error-not-a-bool = isto tem de ser true ou false
error-not-a-table = isto tem de ser uma tabela, [{ $key }]
error-not-tables = isto tem de ser uma lista de tabelas, [[{ $key }]]
error-not-whole = { $value } não é um número inteiro; dê um
error-range = { $value } está fora do intervalo; dê um valor de { $low } a { $high }
error-missing = falta { $key }; indique-o também
error-either = { $keys } dizem o mesmo; dê só uma
error-stray = { $key } não faz sentido ao lado de { $first }; retire uma das duas
error-use-stage-twice = [use] calcula a fase de uso; retire isto ou [use]
error-no-choices = o conjunto de dados { $data } não tem valores para isto; dê um número de kg
error-preset-of-other = a predefinição { $preset } pertence ao conjunto de dados { $other }, não a { $data }; retire data
error-no-clock = o relógio de { $board } não está publicado; dê macs em vez de cycles
error-no-macs = uma placa sozinha não diz nada; dê um modelo, ou macs, ou cycles
error-overflow = os números são grandes demais; dê outros menores
