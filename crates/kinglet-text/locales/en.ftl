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
error-digits = { $value } has more digits than can be kept; give fewer
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
error-no-file = there is no such file
error-utf8 = this is not text in UTF-8
error-model-alone = a model is for an estimate of its energy; give --board too, and how often it runs
error-growth = { $value } billion is less than there were in 2023; give 15 or more

## Components

component-ml_training = Training of the model
component-casing = Casing
component-processing = Processor
component-pcb = Circuit board
component-power_supply = Power supply
component-sensing = Sensor
component-others = Small parts
component-transport = Transport
component-ui = LEDs, switches
component-use_stage = Electricity in use
component-memory = Memory
component-connectivity = Radio
component-actuators = Actuators
component-security = Security chip
component-end_of_life = End of life

## Published options

choice-custom = own value
choice-energy = computed from the power it draws
choice-ml_training-densenet = DenseNet
choice-ml_training-mobilenet-v1 = MobileNetV1
choice-casing-small = ABS 10 g, aluminium 1 g, steel 1 g
choice-casing-typical = ABS 50 g, aluminium 10 g, steel 10 g
choice-casing-large = ABS 100 g, aluminium 30 g, steel 30 g
choice-processing-mcu-5mm2 = microcontroller, 5 mm²
choice-processing-mcu-10mm2 = microcontroller, 10 mm²
choice-processing-mcu-17mm2 = microcontroller, 17 mm²
choice-pcb-small = four layers, 8 cm²
choice-pcb-typical = four layers, 10 cm²
choice-pcb-large = four layers, 15 cm²
choice-power_supply-mains = mains
choice-power_supply-li-ion-small = Li-ion battery, small
choice-power_supply-li-ion-typical = Li-ion battery, 50 g
choice-power_supply-li-ion-large = Li-ion battery, 100 g
choice-sensing-electret-microphone = electret microphone
choice-sensing-microphone-small = electret microphone, small
choice-sensing-microphone-typical = electret microphone, typical
choice-sensing-sensor-3mm2 = sensor, 3 mm²
choice-sensing-cmos-30mm2 = imager, 30 mm²
choice-sensing-cmos-58mm2 = imager, 58 mm²
choice-others-best = few
choice-others-typical = typical
choice-others-worst = many
choice-transport-best = short and light
choice-transport-typical = typical
choice-transport-worst = long and heavy
choice-ui-1-led = 1 LED
choice-ui-2-leds = 2 LEDs
choice-ui-4-leds = 4 LEDs
choice-use_stage-continuous-1mw = 1 mW for three years, as published
choice-memory-none = inside the processor
choice-connectivity-none = inside the processor
choice-actuators-none = none
choice-security-none = inside the processor
choice-end_of_life-none = as good as nothing

## Presets

preset-vision = Vision
preset-anomaly-detection = Anomaly detection
preset-low-cost = Low-cost: keyword spotting, compact
preset-medium-cost = Medium-cost: image classification, compact
preset-high-cost = High-cost: image classification, large
preset-keyword-typical = Keyword spotting, typical
preset-anomaly-typical = Anomaly detection, typical

## The footprint's report

footprint-title = Carbon footprint: { $name }
chart-unit = kg CO₂e per device, logarithmic
part = Part
parts = Parts
choice = Made of
share = Share
total = Total
embodied = Embodied
operational = In operation
data-set = Data set
data-calculator = TinyML Footprint calculator
data-paper = component table of the paper
years = Years of use
average-power = Average power
energy-over-life = Energy over its life
grid = Electricity
grid-default = nothing said
grid-given = as given
inference-energy = Energy of an inference
estimate-macs = about { $uj } µJ ({ $low } to { $high }): estimated from { $count } multiply-accumulates and what { $board } takes for MLPerf Tiny's networks
estimate-cycles = about { $uj } µJ ({ $low } to { $high }): estimated from { $count } cycles and the power that { $board } draws for MLPerf Tiny's networks
battery = Battery
battery-lasts = { $days } days on a charge, { $charges } charges over its life
fleet = Fleet
fleet-takes = { $devices } devices: { $once } kg, the model trained once ({ $each } kg if each had its own training)
savings = Savings, as entered
savings-each = { $kg } kg a year for each device
net = Cost less savings
break-even = Break-even
break-even-after = after { $years } years
break-even-never = never: nothing is saved
ratio-to = { $name }: times this footprint
may-be = May be as high as
difference = Difference
note-source = Values: { $source }. Masses are kg CO₂-equivalent per device, over its whole life.
note-calculator = The calculator labels its casings with larger masses than its values are for; the masses here are those that the paper's table has for the same values.
note-mobilenet = The figure for MobileNetV1's training is one of ViT-Tiny, which the calculator lets stand in (Dodge et al., FAccT 2022).
note-uncertainty = A sum over parts leaves things out: the true value may be about twice as high (Pirson and Bol, J. Cleaner Production 322 (2021) 128966).
note-factor = All values are multiplied by { $factor } to make up for what a sum over parts leaves out.
note-published-use = Electricity is the published figure: 1 mW without pause for three years.
note-default-grid = No country was named: 433 g/kWh are taken, close to the average of the United States.
note-country-grid = Carbon intensity by country: Ember and Our World in Data (CC BY 4.0), as CodeCarbon distributes them.
note-estimate = The energy of an inference is an estimate, not a measurement: it scales what others measured with their own software (MLPerf Tiny, closed division).
note-years = Only the electricity follows the years of use; the other parts are published for three.
note-savings = Savings are what was entered; nothing here checks them.
page-made-by = Made by kinglet { $version }.
written = { $file } written
list-blocks = Components, with their options in kg
list-countries = Countries, g CO₂e per kWh
list-energies = Energy sources, g CO₂e per kWh
list-boards = Boards, µJ per inference as published
growth-title = IoT devices: when there will be so many
growth-billions = Billions
growth-linear = Linear growth
growth-exponential = Exponential growth
growth-note = From 15 billion in 2023: { $linear } billion more each year, or { $factor } times as many. The rates reproduce the years of the published forecast, which does not name them.
country = Country
code = Code
year = Year
network = Network
