//! What an evaluation may use: depth, memory, steps. One evaluation is metered by one [`Meter`]; the memory that is
//! counted is what the evaluation holds at the moment (values of the input are not counted, they are borrowed).

use std::cell::Cell;
use std::fmt;

use crate::fault::{Fault, Result};

/// Bounds for one evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Deepest nesting of evaluations. Each level takes up to 2 KiB of stack in a release build.
    pub depth_max: usize,
    /// Bytes that the evaluation may hold at once: 12 for each item of an array, 1 for each byte of a text.
    pub bytes_max: usize,
    /// Steps: one for each node that is evaluated, each element that is visited, each 64 bytes that are produced.
    pub fuel_max: u64,
    /// Longest sequence, in items.
    pub sequence_max: usize,
}

impl Limits {
    /// AWS's limits. Depth and bytes as measured at the service: `[1..873782]` and a text of 2^22 characters are
    /// accepted, `[1..873783]` and 2^23 characters are refused; 100 levels are accepted, 101 are refused. AWS bounds the
    /// time instead of steps.
    pub fn aws() -> Limits {
        Limits { depth_max: 100, bytes_max: 10 * 1024 * 1024, fuel_max: 50_000_000, sequence_max: 10_000_000 }
    }

    /// Room for everything but endless programs. Needs a stack of some 4 MiB in debug builds.
    pub fn generous() -> Limits {
        Limits {
            depth_max: 500,
            bytes_max: 256 * 1024 * 1024,
            fuel_max: 100_000_000,
            sequence_max: 10_000_000,
        }
    }
}

/// Deepest nesting of values that are made, as the reader of JSON texts has it: what is deeper could not be read back.
pub(crate) const NESTING_MAX: u16 = 512;

/// Bytes that an evaluation holds before it makes a value: with it and the size of a container the bound lies exactly
/// between 873,782 and 873,783 numbers in one array.
const BASE_BYTES: usize = 352;

/// Bytes counted for a container itself.
pub(crate) const CONTAINER_BYTES: usize = 16;

/// Bytes counted for each item of an array.
pub(crate) const ITEM_BYTES: usize = 12;

/// Steps after which the caller is asked whether the evaluation goes on: a fraction of a millisecond.
const STEPS_UNASKED: u64 = 4_096;

/// Counts what one evaluation uses.
pub(crate) struct Meter<'e> {
    bytes: Cell<usize>,
    bytes_max: usize,
    /// Steps until the caller is asked again.
    fuel: Cell<u64>,
    /// Steps after those.
    reserve: Cell<u64>,
    goes_on: &'e dyn Fn() -> bool,
}

impl<'e> Meter<'e> {
    pub(crate) fn new(limits: &Limits, goes_on: &'e dyn Fn() -> bool) -> Meter<'e> {
        let fuel = limits.fuel_max.min(STEPS_UNASKED);
        Meter {
            bytes: Cell::new(BASE_BYTES),
            bytes_max: limits.bytes_max,
            fuel: Cell::new(fuel),
            reserve: Cell::new(limits.fuel_max - fuel),
            goes_on,
        }
    }

    /// Counts `steps`.
    #[inline]
    pub(crate) fn spend(&self, steps: u64) -> Result<()> {
        match self.fuel.get().checked_sub(steps) {
            Some(left) => {
                self.fuel.set(left);
                Ok(())
            }
            None => self.refuel(steps),
        }
    }

    /// Takes from the reserve what `steps` need beyond the fuel, if the evaluation goes on.
    #[cold]
    fn refuel(&self, steps: u64) -> Result<()> {
        let missing = steps.saturating_sub(self.fuel.get());
        let left = self.reserve.get().checked_sub(missing).ok_or_else(Fault::timeout)?;
        if !(self.goes_on)() {
            return Err(Fault::interrupted());
        }
        let fuel = left.min(STEPS_UNASKED);
        self.fuel.set(fuel);
        self.reserve.set(left - fuel);
        Ok(())
    }

    /// Counts `bytes` as held until the charge is dropped.
    #[inline]
    pub(crate) fn hold(&self, bytes: usize) -> Result<Charge<'_>> {
        self.spend(bytes as u64 / 64)?;
        let held = self.bytes.get().saturating_add(bytes);
        if held > self.bytes_max {
            return Err(Fault::memory());
        }
        self.bytes.set(held);
        Ok(Charge { meter: self, bytes: Cell::new(bytes) })
    }
}

impl fmt::Debug for Meter<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Meter { bytes, bytes_max, fuel, reserve, goes_on: _ } = self;
        write!(formatter, "{} of {bytes_max} bytes, {} steps left", bytes.get(), fuel.get() + reserve.get())
    }
}

/// Bytes held by one value; given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Charge<'a> {
    meter: &'a Meter<'a>,
    bytes: Cell<usize>,
}

impl<'a> Charge<'a> {
    /// Changes the number of bytes that are held.
    #[inline]
    pub(crate) fn resize(&self, bytes: usize) -> Result<()> {
        let before = self.bytes.get();
        let held = self.meter.bytes.get() - before;
        if bytes > before {
            self.meter.spend((bytes - before) as u64 / 64)?;
            if held.saturating_add(bytes) > self.meter.bytes_max {
                return Err(Fault::memory());
            }
        }
        self.meter.bytes.set(held + bytes);
        self.bytes.set(bytes);
        Ok(())
    }

    pub(crate) fn meter(&self) -> &'a Meter<'a> {
        self.meter
    }
}

impl Drop for Charge<'_> {
    #[inline]
    fn drop(&mut self) {
        self.meter.bytes.set(self.meter.bytes.get() - self.bytes.get());
    }
}
