//! Gauges that are read from time to time by one task, and shown to every collection until the next reading.

use std::sync::Arc;

use fenghuo_durable::measure::{KeyValue, meter};
use parking_lot::Mutex;

/// What a gauge is called and means.
#[derive(Debug, Clone, Copy)]
pub struct Gauge {
    /// Its name.
    pub name: &'static str,
    /// Its unit, by UCUM.
    pub unit: &'static str,
    /// What it says.
    pub description: &'static str,
    /// Parts of a whole that may be added up (an UpDownCounter); otherwise a reading.
    pub adds_up: bool,
}

/// One value of a gauge.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Of which gauge.
    pub name: &'static str,
    /// The value.
    pub value: f64,
    /// Of what.
    pub attributes: Vec<KeyValue>,
}

/// The last reading of every gauge. What is gone at a reading is shown no longer.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<Mutex<Vec<Sample>>>);

impl Board {
    /// A board of these gauges, empty until the first [`Board::show`].
    pub fn new(gauges: &[Gauge]) -> Self {
        let board = Self::default();
        for gauge in gauges {
            board.register(gauge);
        }
        board
    }

    fn register(&self, gauge: &Gauge) {
        let (shown, name, meter) = (self.0.clone(), gauge.name, meter());
        let observe = move |observer: &dyn opentelemetry::metrics::AsyncInstrument<f64>| {
            for sample in shown.lock().iter().filter(|sample| sample.name == name) {
                observer.observe(sample.value, &sample.attributes);
            }
        };
        if gauge.adds_up {
            let builder = meter.f64_observable_up_down_counter(name);
            let _ = builder.with_unit(gauge.unit).with_description(gauge.description).with_callback(observe).build();
        } else {
            let builder = meter.f64_observable_gauge(name);
            let _ = builder.with_unit(gauge.unit).with_description(gauge.description).with_callback(observe).build();
        }
    }

    /// Shows a new reading in place of the last.
    pub fn show(&self, samples: Vec<Sample>) {
        *self.0.lock() = samples;
    }
}
