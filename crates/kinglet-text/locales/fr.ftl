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
error-digits = { $value } a plus de chiffres qu'on ne peut en garder ; donnez-en moins
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
error-no-file = ce fichier n'existe pas
error-utf8 = ceci n'est pas du texte en UTF-8
error-model-alone = un modèle sert à estimer son énergie ; donnez aussi --board et sa fréquence d'exécution
error-growth = { $value } milliards, c'est moins qu'en 2023 ; donnez 15 ou plus

## Composants

component-ml_training = Entraînement du modèle
component-casing = Boîtier
component-processing = Processeur
component-pcb = Circuit imprimé
component-power_supply = Alimentation
component-sensing = Capteur
component-others = Petites pièces
component-transport = Transport
component-ui = LED, interrupteurs
component-use_stage = Électricité en usage
component-memory = Mémoire
component-connectivity = Radio
component-actuators = Actionneurs
component-security = Puce de sécurité
component-end_of_life = Fin de vie

## Options publiées

choice-custom = valeur propre
choice-energy = calculé à partir de la puissance consommée
choice-ml_training-densenet = DenseNet
choice-ml_training-mobilenet-v1 = MobileNetV1
choice-casing-small = ABS 10 g, aluminium 1 g, acier 1 g
choice-casing-typical = ABS 50 g, aluminium 10 g, acier 10 g
choice-casing-large = ABS 100 g, aluminium 30 g, acier 30 g
choice-processing-mcu-5mm2 = microcontrôleur, 5 mm²
choice-processing-mcu-10mm2 = microcontrôleur, 10 mm²
choice-processing-mcu-17mm2 = microcontrôleur, 17 mm²
choice-pcb-small = quatre couches, 8 cm²
choice-pcb-typical = quatre couches, 10 cm²
choice-pcb-large = quatre couches, 15 cm²
choice-power_supply-mains = secteur
choice-power_supply-li-ion-small = batterie Li-ion, petite
choice-power_supply-li-ion-typical = batterie Li-ion, 50 g
choice-power_supply-li-ion-large = batterie Li-ion, 100 g
choice-sensing-electret-microphone = microphone à électret
choice-sensing-microphone-small = microphone à électret, petit
choice-sensing-microphone-typical = microphone à électret, typique
choice-sensing-sensor-3mm2 = capteur, 3 mm²
choice-sensing-cmos-30mm2 = imageur, 30 mm²
choice-sensing-cmos-58mm2 = imageur, 58 mm²
choice-others-best = peu
choice-others-typical = typique
choice-others-worst = beaucoup
choice-transport-best = court et léger
choice-transport-typical = typique
choice-transport-worst = long et lourd
choice-ui-1-led = 1 LED
choice-ui-2-leds = 2 LED
choice-ui-4-leds = 4 LED
choice-use_stage-continuous-1mw = 1 mW pendant trois ans, selon la publication
choice-memory-none = dans le processeur
choice-connectivity-none = dans le processeur
choice-actuators-none = aucun
choice-security-none = dans le processeur
choice-end_of_life-none = presque rien

## Préréglages

preset-vision = Vision
preset-anomaly-detection = Détection d'anomalies
preset-low-cost = Bas coût : mots-clés, compact
preset-medium-cost = Coût moyen : classification d'images, compact
preset-high-cost = Coût élevé : classification d'images, grand
preset-keyword-typical = Mots-clés, typique
preset-anomaly-typical = Détection d'anomalies, typique

## Le rapport d'empreinte

footprint-title = Empreinte carbone : { $name }
chart-unit = kg CO₂e par appareil, échelle logarithmique
part = Partie
parts = Parties
choice = Composition
share = Part
total = Total
embodied = Incorporé
operational = En fonctionnement
data-set = Jeu de données
data-calculator = calculateur TinyML Footprint
data-paper = table des composants de l'article
years = Années d'utilisation
average-power = Puissance moyenne
energy-over-life = Énergie sur la vie
grid = Électricité
grid-default = rien d'indiqué
grid-given = valeur donnée
inference-energy = Énergie d'une inférence
estimate-macs = environ { $uj } µJ ({ $low } à { $high }) : estimé à partir de { $count } multiplications-accumulations et de ce que { $board } consomme pour les réseaux de MLPerf Tiny
estimate-cycles = environ { $uj } µJ ({ $low } à { $high }) : estimé à partir de { $count } cycles et de la puissance que { $board } consomme pour les réseaux de MLPerf Tiny
battery = Batterie
battery-lasts = { $days } jours par charge, { $charges } charges sur sa vie
fleet = Parc
fleet-takes = { $devices } appareils : { $once } kg, le modèle étant entraîné une fois ({ $each } kg si chacun avait son propre entraînement)
savings = Économies, telles que saisies
savings-each = { $kg } kg par an et par appareil
net = Coût moins économies
break-even = Seuil de rentabilité
break-even-after = après { $years } ans
break-even-never = jamais : rien n'est économisé
ratio-to = { $name } : fois cette empreinte
may-be = Peut atteindre
difference = Différence
note-source = Valeurs : { $source }. Les masses sont en kg d'équivalent CO₂ par appareil, sur toute sa vie.
note-calculator = Le calculateur étiquette ses boîtiers avec des masses plus grandes que celles de ses valeurs ; les masses données ici sont celles de la table de l'article pour les mêmes valeurs.
note-mobilenet = Le chiffre de l'entraînement de MobileNetV1 est l'un de ceux de ViT-Tiny, que le calculateur met à sa place (Dodge et al., FAccT 2022).
note-uncertainty = Une somme de parties oublie des choses : la vraie valeur peut être environ deux fois plus élevée (Pirson et Bol, J. Cleaner Production 322 (2021) 128966).
note-factor = Toutes les valeurs sont multipliées par { $factor } pour compenser ce qu'une somme de parties oublie.
note-published-use = L'électricité est le chiffre publié : 1 mW sans pause pendant trois ans.
note-default-grid = Aucun pays n'a été indiqué : on prend 433 g/kWh, proche de la moyenne des États-Unis.
note-country-grid = Intensité carbone par pays : Ember et Our World in Data (CC BY 4.0), telles que CodeCarbon les distribue.
note-estimate = L'énergie d'une inférence est une estimation, non une mesure : elle extrapole ce que d'autres ont mesuré avec leur propre logiciel (MLPerf Tiny, division fermée).
note-years = Seule l'électricité suit les années d'utilisation ; les autres parties sont publiées pour trois.
note-savings = Les économies sont celles qui ont été saisies ; rien ici ne les vérifie.
page-made-by = Produit par kinglet { $version }.
written = { $file } écrit
list-blocks = Composants, avec leurs options en kg
list-countries = Pays, g CO₂e par kWh
list-energies = Sources d'énergie, g CO₂e par kWh
list-boards = Cartes, µJ par inférence selon la publication
growth-title = Appareils IoT : quand il y en aura tant
growth-billions = Milliards
growth-linear = Croissance linéaire
growth-exponential = Croissance exponentielle
growth-note = À partir de 15 milliards en 2023 : { $linear } milliard de plus chaque année, ou { $factor } fois plus. Les taux reproduisent les années de la prévision publiée, qui ne les nomme pas.
country = Pays
code = Code
year = Année
network = Réseau
