//! A device: what it is made of, and what that comes to.

use kinglet_text::Message;
use rust_decimal::Decimal;

use crate::data::{Component, DataSet, Preset};
use crate::energy::UseStage;

/// A component of a device, as in the calculator: a box to tick, an option or a value of one's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    enabled: bool,
    /// Which of the published values; none: `custom`.
    choice: Option<usize>,
    custom: Decimal,
}

/// What a device is made of.
#[derive(Clone, Debug)]
pub struct Device {
    data: DataSet,
    slots: [Slot; Component::ALL.len()],
    fields: Vec<(String, Decimal)>,
    flexible: bool,
    use_stage: Option<UseStage>,
}

/// What a part of a footprint is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartName {
    /// A component.
    Component(Component),
    /// A field of the user's own.
    Field(String),
}

/// Where a part's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A published option, by key.
    Choice(&'static str),
    /// A number of the user's own.
    Custom,
    /// The electricity that the device takes.
    Energy,
}

/// Part of a footprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub name: PartName,
    /// Where its value comes from.
    pub origin: Origin,
    /// kg CO2-equivalent.
    pub kg: Decimal,
}

impl Part {
    fn is(&self, component: Component) -> bool {
        self.name == PartName::Component(component)
    }
}

/// A device's footprint, part by part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// The parts, in the order in which they are shown.
    pub parts: Vec<Part>,
}

impl Device {
    /// A device of the data set's first preset.
    pub fn new(data: DataSet) -> Self {
        let slot = Slot { enabled: true, choice: None, custom: Decimal::ZERO };
        let mut device = Self {
            data,
            slots: [slot; Component::ALL.len()],
            fields: Vec::new(),
            flexible: false,
            use_stage: None,
        };
        if let Some(preset) = data.presets().first() {
            device.apply(preset);
        }
        device
    }

    /// The data set that its options are from.
    pub const fn data(&self) -> DataSet {
        self.data
    }

    /// Selects what a preset says. As in the calculator, it neither ticks boxes nor changes custom values.
    pub fn apply(&mut self, preset: &Preset) {
        let data = self.data;
        for component in Component::ALL {
            if let Some(slot) = self.slot(component) {
                slot.choice = preset.choice(data, component);
            }
        }
    }

    /// Selects a published value by key.
    ///
    /// # Errors
    /// When the data set has no such value; the device stays as it is.
    pub fn choose(&mut self, component: Component, key: &str) -> Result<(), UnknownChoice> {
        let choices = self.data.choices(component);
        let index = choices.iter().position(|choice| choice.key == key).ok_or(UnknownChoice)?;
        if let Some(slot) = self.slot(component) {
            (slot.choice, slot.enabled) = (Some(index), true);
        }
        Ok(())
    }

    /// Gives a component a value of one's own, in kg.
    pub fn set_custom(&mut self, component: Component, kg: Decimal) {
        if let Some(slot) = self.slot(component) {
            *slot = Slot { enabled: true, choice: None, custom: kg };
        }
    }

    /// Ticks or unticks a component.
    pub fn enable(&mut self, component: Component, enabled: bool) {
        if let Some(slot) = self.slot(component) {
            slot.enabled = enabled;
        }
    }

    /// Whether a component is ticked.
    pub fn is_enabled(&self, component: Component) -> bool {
        self.slots.get(component as usize).is_some_and(|slot| slot.enabled)
    }

    /// Parts of the user's own: name and kg. As in the calculator, one that is not a number clears them all.
    ///
    /// # Errors
    /// When a value is not a number: which one.
    pub fn set_fields<'a>(
        &mut self,
        fields: impl IntoIterator<Item = (&'a str, Option<Decimal>)>,
    ) -> Result<(), Message> {
        self.fields.clear();
        let fields: Result<Vec<_>, _> = fields
            .into_iter()
            .map(|(name, kg)| match kg {
                Some(kg) => Ok((name.to_owned(), kg)),
                None => Err(Message::new("error-not-a-number").with("value", name)),
            })
            .collect();
        self.fields = fields?;
        Ok(())
    }

    /// Processing and circuit board on flexible plastic, a thousandth of the same in silicon (the variant
    /// "FlexICs" of the prototype calculator, `mmaz/co2calc`).
    pub fn set_flexible(&mut self, flexible: bool) {
        self.flexible = flexible;
    }

    /// Computes the use stage from what the device draws, in place of the published value.
    pub fn set_use(&mut self, use_stage: Option<UseStage>) {
        self.use_stage = use_stage;
    }

    /// What computes the use stage.
    pub const fn use_stage(&self) -> Option<&UseStage> {
        self.use_stage.as_ref()
    }

    fn slot(&mut self, component: Component) -> Option<&mut Slot> {
        self.slots.get_mut(component as usize)
    }

    fn part(&self, component: Component) -> Option<Part> {
        let slot = self.slots.get(component as usize).filter(|slot| slot.enabled)?;
        let (mut kg, origin) = match (component, self.use_stage) {
            (Component::UseStage, Some(use_stage)) => (use_stage.kg()?, Origin::Energy),
            _ => match slot.choice.and_then(|i| self.data.choices(component).get(i)) {
                Some(choice) => (choice.kg(), Origin::Choice(choice.key)),
                // Nothing was said about a component that the data set does not have.
                None if slot.custom.is_zero() && self.data.choices(component).is_empty() => return None,
                None => (slot.custom, Origin::Custom),
            },
        };
        if self.flexible && matches!(component, Component::Processing | Component::Pcb) {
            kg /= Decimal::ONE_THOUSAND;
        }
        Some(Part { name: PartName::Component(component), origin, kg })
    }

    /// Its footprint.
    pub fn footprint(&self) -> Footprint {
        let components = Component::ALL.into_iter().filter_map(|component| self.part(component));
        let fields = self.fields.iter().map(|(name, kg)| Part {
            name: PartName::Field(name.clone()),
            origin: Origin::Custom,
            kg: *kg,
        });
        Footprint { parts: components.chain(fields).collect() }
    }
}

/// The data set has no value with this key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownChoice;

impl Footprint {
    /// All parts together, in kg.
    pub fn total(&self) -> Decimal {
        self.parts.iter().map(|part| part.kg).sum()
    }

    /// One component, in kg; 0 where it is not ticked.
    pub fn of(&self, component: Component) -> Decimal {
        self.parts.iter().filter(|part| part.is(component)).map(|part| part.kg).sum()
    }

    /// Electricity during its life, in kg.
    pub fn operational(&self) -> Decimal {
        self.of(Component::UseStage)
    }

    /// All but electricity, in kg.
    pub fn embodied(&self) -> Decimal {
        self.total() - self.operational()
    }

    /// `devices` of them, in kg: the model is trained once.
    pub fn fleet(&self, devices: Decimal) -> Option<Decimal> {
        let training = self.of(Component::MlTraining);
        (self.total() - training).checked_mul(devices)?.checked_add(training)
    }
}
