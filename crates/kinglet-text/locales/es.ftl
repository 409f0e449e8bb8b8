# Lo que dicen los informes de kinglet. Las claves de los archivos aparecen tal cual.

## Errores

error-toml = esto no es TOML: { $what }
error-unknown-key-near = clave desconocida { $given }; ¿quiso decir { $nearest }?
error-unknown-key = clave desconocida { $given }; las conocidas son: { $known }
error-unknown-value-near = valor desconocido "{ $given }"; ¿quiso decir "{ $nearest }"?
error-unknown-value = valor desconocido "{ $given }"; los conocidos son: { $known }
error-unknown-country-near = no existe el país "{ $given }"; ¿quiso decir "{ $nearest }"?
error-unknown-country = no existe el país "{ $given }"; dé un código ISO 3166 de tres letras o un nombre en inglés
error-not-a-number = { $value } no es un número; dé uno
error-not-a-text = esto debe ser un texto entre comillas
error-not-a-bool = esto debe ser true o false
error-not-a-table = esto debe ser una tabla, [{ $key }]
error-not-tables = esto debe ser una lista de tablas, [[{ $key }]]
error-not-whole = { $value } no es un número entero; dé uno
error-range = { $value } está fuera de rango; dé un valor de { $low } a { $high }
error-missing = falta { $key }; indíquelo también
error-either = { $keys } dicen lo mismo; dé solo una
error-stray = { $key } no tiene sentido junto a { $first }; quite una de las dos
error-use-stage-twice = [use] calcula la fase de uso; quite esto o [use]
error-no-choices = el conjunto de datos { $data } no tiene valores para esto; dé un número de kg
error-preset-of-other = el preajuste { $preset } pertenece al conjunto de datos { $other }, no a { $data }; quite data
error-no-clock = el reloj de { $board } no está publicado; dé macs en lugar de cycles
error-no-macs = una placa sola no dice nada; dé un modelo, o macs, o cycles
error-overflow = los números son demasiado grandes; dé otros menores
