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
error-digits = { $value } tiene más cifras de las que se pueden guardar; dé menos
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
error-no-file = no existe tal archivo
error-utf8 = esto no es texto en UTF-8
error-model-alone = un modelo sirve para estimar su energía; dé también --board y con qué frecuencia se ejecuta
error-growth = { $value } mil millones son menos de los que había en 2023; dé 15 o más

## Componentes

component-ml_training = Entrenamiento del modelo
component-casing = Carcasa
component-processing = Procesador
component-pcb = Placa de circuito
component-power_supply = Alimentación
component-sensing = Sensor
component-others = Piezas pequeñas
component-transport = Transporte
component-ui = LED, interruptores
component-use_stage = Electricidad en uso
component-memory = Memoria
component-connectivity = Radio
component-actuators = Actuadores
component-security = Chip de seguridad
component-end_of_life = Fin de vida

## Opciones publicadas

choice-custom = valor propio
choice-energy = calculado a partir de la potencia que consume
choice-ml_training-densenet = DenseNet
choice-ml_training-mobilenet-v1 = MobileNetV1
choice-casing-small = ABS 10 g, aluminio 1 g, acero 1 g
choice-casing-typical = ABS 50 g, aluminio 10 g, acero 10 g
choice-casing-large = ABS 100 g, aluminio 30 g, acero 30 g
choice-processing-mcu-5mm2 = microcontrolador, 5 mm²
choice-processing-mcu-10mm2 = microcontrolador, 10 mm²
choice-processing-mcu-17mm2 = microcontrolador, 17 mm²
choice-pcb-small = cuatro capas, 8 cm²
choice-pcb-typical = cuatro capas, 10 cm²
choice-pcb-large = cuatro capas, 15 cm²
choice-power_supply-mains = red eléctrica
choice-power_supply-li-ion-small = batería de iones de litio, pequeña
choice-power_supply-li-ion-typical = batería de iones de litio, 50 g
choice-power_supply-li-ion-large = batería de iones de litio, 100 g
choice-sensing-electret-microphone = micrófono de electreto
choice-sensing-microphone-small = micrófono de electreto, pequeño
choice-sensing-microphone-typical = micrófono de electreto, típico
choice-sensing-sensor-3mm2 = sensor, 3 mm²
choice-sensing-cmos-30mm2 = sensor de imagen, 30 mm²
choice-sensing-cmos-58mm2 = sensor de imagen, 58 mm²
choice-others-best = pocas
choice-others-typical = lo típico
choice-others-worst = muchas
choice-transport-best = corto y ligero
choice-transport-typical = típico
choice-transport-worst = largo y pesado
choice-ui-1-led = 1 LED
choice-ui-2-leds = 2 LED
choice-ui-4-leds = 4 LED
choice-use_stage-continuous-1mw = 1 mW durante tres años, según lo publicado
choice-memory-none = dentro del procesador
choice-connectivity-none = dentro del procesador
choice-actuators-none = ninguno
choice-security-none = dentro del procesador
choice-end_of_life-none = prácticamente nada

## Preajustes

preset-vision = Visión
preset-anomaly-detection = Detección de anomalías
preset-low-cost = De bajo coste: palabras clave, compacto
preset-medium-cost = De coste medio: clasificación de imágenes, compacto
preset-high-cost = De coste alto: clasificación de imágenes, grande
preset-keyword-typical = Palabras clave, típico
preset-anomaly-typical = Detección de anomalías, típico

## El informe de la huella

footprint-title = Huella de carbono: { $name }
chart-unit = kg CO₂e por dispositivo, escala logarítmica
part = Parte
parts = Partes
choice = Hecho de
share = Proporción
total = Total
embodied = Incorporado
operational = En funcionamiento
data-set = Conjunto de datos
data-calculator = calculadora TinyML Footprint
data-paper = tabla de componentes del artículo
years = Años de uso
average-power = Potencia media
energy-over-life = Energía durante su vida
grid = Electricidad
grid-default = sin indicar
grid-given = valor dado
inference-energy = Energía de una inferencia
estimate-macs = unos { $uj } µJ ({ $low } a { $high }): estimado con { $count } multiplicaciones-acumulaciones y lo que { $board } consume con las redes de MLPerf Tiny
estimate-cycles = unos { $uj } µJ ({ $low } a { $high }): estimado con { $count } ciclos y la potencia que { $board } consume con las redes de MLPerf Tiny
battery = Batería
battery-lasts = { $days } días por carga, { $charges } cargas durante su vida
fleet = Flota
fleet-takes = { $devices } dispositivos: { $once } kg, con el modelo entrenado una vez ({ $each } kg si cada uno tuviera su propio entrenamiento)
savings = Ahorro, según lo introducido
savings-each = { $kg } kg al año por dispositivo
net = Coste menos ahorro
break-even = Compensación
break-even-after = a los { $years } años
break-even-never = nunca: no se ahorra nada
ratio-to = { $name }: veces esta huella
may-be = Puede llegar a
difference = Diferencia
note-source = Valores: { $source }. Las masas son kg de CO₂ equivalente por dispositivo, durante toda su vida.
note-calculator = La calculadora rotula sus carcasas con masas mayores que las de sus valores; las masas de aquí son las que la tabla del artículo da para los mismos valores.
note-mobilenet = La cifra del entrenamiento de MobileNetV1 es una de ViT-Tiny, que la calculadora usa en su lugar (Dodge et al., FAccT 2022).
note-uncertainty = Una suma de partes deja cosas fuera: el valor real puede ser cerca del doble (Pirson y Bol, J. Cleaner Production 322 (2021) 128966).
note-factor = Todos los valores están multiplicados por { $factor } para compensar lo que una suma de partes deja fuera.
note-published-use = La electricidad es la cifra publicada: 1 mW sin pausa durante tres años.
note-default-grid = No se indicó ningún país: se toman 433 g/kWh, cerca de la media de Estados Unidos.
note-country-grid = Intensidad de carbono por país: Ember y Our World in Data (CC BY 4.0), tal como las distribuye CodeCarbon.
note-estimate = La energía de una inferencia es una estimación, no una medida: extrapola lo que otros midieron con su propio software (MLPerf Tiny, división cerrada).
note-years = Solo la electricidad depende de los años de uso; las demás partes están publicadas para tres.
note-savings = El ahorro es el que se introdujo; nada de aquí lo comprueba.
page-made-by = Hecho con kinglet { $version }.
written = { $file } escrito
list-blocks = Componentes, con sus opciones en kg
list-countries = Países, g CO₂e por kWh
list-energies = Fuentes de energía, g CO₂e por kWh
list-boards = Placas, µJ por inferencia según lo publicado
growth-title = Dispositivos IoT: cuándo habrá tantos
growth-billions = Miles de millones
growth-linear = Crecimiento lineal
growth-exponential = Crecimiento exponencial
growth-note = Desde 15 mil millones en 2023: { $linear } mil millones más cada año, o { $factor } veces más. Las tasas reproducen los años de la previsión publicada, que no las nombra.
country = País
code = Código
year = Año
network = Red
