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
error-digits = { $value } tem mais algarismos do que se podem guardar; dê menos
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
error-no-file = não existe tal arquivo
error-utf8 = isto não é texto em UTF-8
error-model-alone = um modelo serve para estimar a sua energia; dê também --board e com que frequência é executado
error-growth = { $value } mil milhões são menos do que havia em 2023; dê 15 ou mais

## Componentes

component-ml_training = Treino do modelo
component-casing = Caixa
component-processing = Processador
component-pcb = Placa de circuito
component-power_supply = Alimentação
component-sensing = Sensor
component-others = Peças pequenas
component-transport = Transporte
component-ui = LED, interruptores
component-use_stage = Eletricidade em uso
component-memory = Memória
component-connectivity = Rádio
component-actuators = Atuadores
component-security = Chip de segurança
component-end_of_life = Fim de vida

## Opções publicadas

choice-custom = valor próprio
choice-energy = calculado a partir da potência que consome
choice-ml_training-densenet = DenseNet
choice-ml_training-mobilenet-v1 = MobileNetV1
choice-casing-small = ABS 10 g, alumínio 1 g, aço 1 g
choice-casing-typical = ABS 50 g, alumínio 10 g, aço 10 g
choice-casing-large = ABS 100 g, alumínio 30 g, aço 30 g
choice-processing-mcu-5mm2 = microcontrolador, 5 mm²
choice-processing-mcu-10mm2 = microcontrolador, 10 mm²
choice-processing-mcu-17mm2 = microcontrolador, 17 mm²
choice-pcb-small = quatro camadas, 8 cm²
choice-pcb-typical = quatro camadas, 10 cm²
choice-pcb-large = quatro camadas, 15 cm²
choice-power_supply-mains = rede elétrica
choice-power_supply-li-ion-small = bateria de íons de lítio, pequena
choice-power_supply-li-ion-typical = bateria de íons de lítio, 50 g
choice-power_supply-li-ion-large = bateria de íons de lítio, 100 g
choice-sensing-electret-microphone = microfone de eletreto
choice-sensing-microphone-small = microfone de eletreto, pequeno
choice-sensing-microphone-typical = microfone de eletreto, típico
choice-sensing-sensor-3mm2 = sensor, 3 mm²
choice-sensing-cmos-30mm2 = sensor de imagem, 30 mm²
choice-sensing-cmos-58mm2 = sensor de imagem, 58 mm²
choice-others-best = poucas
choice-others-typical = o típico
choice-others-worst = muitas
choice-transport-best = curto e leve
choice-transport-typical = típico
choice-transport-worst = longo e pesado
choice-ui-1-led = 1 LED
choice-ui-2-leds = 2 LED
choice-ui-4-leds = 4 LED
choice-use_stage-continuous-1mw = 1 mW durante três anos, como publicado
choice-memory-none = dentro do processador
choice-connectivity-none = dentro do processador
choice-actuators-none = nenhum
choice-security-none = dentro do processador
choice-end_of_life-none = praticamente nada

## Predefinições

preset-vision = Visão
preset-anomaly-detection = Detecção de anomalias
preset-low-cost = De baixo custo: palavras-chave, compacto
preset-medium-cost = De custo médio: classificação de imagens, compacto
preset-high-cost = De custo alto: classificação de imagens, grande
preset-keyword-typical = Palavras-chave, típico
preset-anomaly-typical = Detecção de anomalias, típico

## O relatório da pegada

footprint-title = Pegada de carbono: { $name }
chart-unit = kg CO₂e por dispositivo, escala logarítmica
part = Parte
parts = Partes
choice = Feito de
share = Proporção
total = Total
embodied = Incorporado
operational = Em funcionamento
data-set = Conjunto de dados
data-calculator = calculadora TinyML Footprint
data-paper = tabela de componentes do artigo
years = Anos de uso
average-power = Potência média
energy-over-life = Energia durante a vida
grid = Eletricidade
grid-default = não indicado
grid-given = valor dado
inference-energy = Energia de uma inferência
estimate-macs = cerca de { $uj } µJ ({ $low } a { $high }): estimado com { $count } multiplicações-acumulações e o que { $board } consome com as redes do MLPerf Tiny
estimate-cycles = cerca de { $uj } µJ ({ $low } a { $high }): estimado com { $count } ciclos e a potência que { $board } consome com as redes do MLPerf Tiny
battery = Bateria
battery-lasts = { $days } dias por carga, { $charges } cargas durante a vida
fleet = Frota
fleet-takes = { $devices } dispositivos: { $once } kg, com o modelo treinado uma vez ({ $each } kg se cada um tivesse o seu próprio treino)
savings = Poupança, como introduzida
savings-each = { $kg } kg por ano por dispositivo
net = Custo menos poupança
break-even = Compensação
break-even-after = após { $years } anos
break-even-never = nunca: nada é poupado
ratio-to = { $name }: vezes esta pegada
may-be = Pode chegar a
difference = Diferença
note-source = Valores: { $source }. As massas são kg de CO₂ equivalente por dispositivo, durante toda a sua vida.
note-calculator = A calculadora rotula as suas caixas com massas maiores que as dos seus valores; as massas daqui são as que a tabela do artigo dá para os mesmos valores.
note-mobilenet = O valor do treino do MobileNetV1 é um do ViT-Tiny, que a calculadora usa em seu lugar (Dodge et al., FAccT 2022).
note-uncertainty = Uma soma de partes deixa coisas de fora: o valor real pode ser cerca do dobro (Pirson e Bol, J. Cleaner Production 322 (2021) 128966).
note-factor = Todos os valores estão multiplicados por { $factor } para compensar o que uma soma de partes deixa de fora.
note-published-use = A eletricidade é o valor publicado: 1 mW sem pausa durante três anos.
note-default-grid = Nenhum país foi indicado: tomam-se 433 g/kWh, perto da média dos Estados Unidos.
note-country-grid = Intensidade de carbono por país: Ember e Our World in Data (CC BY 4.0), como o CodeCarbon as distribui.
note-estimate = A energia de uma inferência é uma estimativa, não uma medição: extrapola o que outros mediram com o seu próprio software (MLPerf Tiny, divisão fechada).
note-years = Só a eletricidade depende dos anos de uso; as outras partes estão publicadas para três.
note-savings = A poupança é a que foi introduzida; nada aqui a verifica.
page-made-by = Feito com o kinglet { $version }.
written = { $file } escrito
list-blocks = Componentes, com as suas opções em kg
list-countries = Países, g CO₂e por kWh
list-energies = Fontes de energia, g CO₂e por kWh
list-boards = Placas, µJ por inferência como publicado
growth-title = Dispositivos IoT: quando haverá tantos
growth-billions = Milhares de milhões
growth-linear = Crescimento linear
growth-exponential = Crescimento exponencial
growth-note = De 15 mil milhões em 2023: mais { $linear } mil milhões por ano, ou { $factor } vezes mais. As taxas reproduzem os anos da previsão publicada, que não as nomeia.
country = País
code = Código
year = Ano
network = Rede
