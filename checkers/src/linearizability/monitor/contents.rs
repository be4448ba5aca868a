//! What was in a container when: the elements of a queue, stack or priority queue with the operations that put them
//! in and took them out.
//!
//! While every element is put in once, the operations of other elements can be left out of any legal order, so that
//! operations on a few elements that exclude each other do so whatever the others did. There is one exception: an
//! operation that took out nobody knows what may have taken out an element of which nobody knows what became. Which,
//! if any, is tried here, from conflict to conflict.

use super::{Act, Answer, Conflict, Deeds, Mark, NEVER};

/// An element. It was put in before [`put_returned`](Self::put_returned) and taken out after
/// [`take_invoked`](Self::take_invoked): if the former comes first it was certainly there in between.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element {
    /// Its value.
    pub(super) value: u32,
    /// The invocation of the operation that put it in, which names that.
    pub(super) put_invoked: u32,
    /// The return of it, or of the operation that took the element out if that came first.
    pub(super) put_returned: u32,
    /// The return of the operation that took it out.
    pub(super) take_returned: u32,
    /// The name of that: the position of its invocation. [`NEVER`] if the element stayed.
    pub(super) take: u32,
}

impl Element {
    /// The invocation of the operation that took it out, or that of the other if that came later; [`NEVER`] if it stayed.
    #[inline]
    pub(super) fn take_invoked(&self) -> u32 {
        self.take.max(self.put_invoked)
    }
}

/// An operation that found nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nothing {
    pub(super) invoked: u32,
    pub(super) returned: u32,
}

/// All that was ever in a container.
#[derive(Debug, Default)]
pub(super) struct Contents {
    /// In the order in which they were put in.
    pub(super) elements: Vec<Element>,
    /// In the order of their invocations.
    pub(super) nothings: Vec<Nothing>,
}

/// Elements and operations that found nothing, by their places in [`Contents`], which exclude each other.
#[derive(Debug, Default)]
pub(super) struct Clash {
    pub(super) elements: Vec<u32>,
    pub(super) nothings: Vec<u32>,
}

/// Judges a container, given what puts the operations of one in order, or finds a clash.
pub(super) fn judge(
    deeds: Deeds<'_>,
    arrange: impl Fn(&Contents) -> Result<Vec<u32>, Clash>,
) -> Answer {
    let (mut contents, unknown) = match collect(deeds) {
        Ok(collected) => collected,
        Err(answer) => return answer,
    };
    let mut takers = Takers::new(unknown);
    // An operation that took out nobody knows what took none of the elements that were gone before it began: what it
    // took is tried among the others first, with an order of few instead of all.
    if let Some(first) = takers.first {
        let (mut late, places) = contents.late(first);
        if late.elements.len() < contents.elements.len() / 2 {
            if let Err(answer) = settle(deeds, &mut late, &mut takers, &arrange) {
                return answer;
            }
            for (place, element) in places.into_iter().zip(late.elements) {
                contents.elements[place] = element;
            }
        }
    }
    match settle(deeds, &mut contents, &mut takers, &arrange) {
        Ok(order) => Answer::Order(order),
        Err(answer) => answer,
    }
}

impl Contents {
    /// What was not gone before an event, and the places of those elements here.
    fn late(&self, from: u32) -> (Self, Vec<usize>) {
        let is_late = |place: &usize| {
            let element = &self.elements[*place];
            element.take == NEVER || element.take_returned >= from
        };
        let places: Vec<_> = (0..self.elements.len()).filter(is_late).collect();
        let nothings = self
            .nothings
            .iter()
            .filter(|nothing| nothing.returned >= from);
        let late = Self {
            elements: places.iter().map(|place| self.elements[*place]).collect(),
            nothings: nothings.copied().collect(),
        };
        (late, places)
    }
}

/// Puts the operations in order; from clash to clash, what took out nobody knows is assigned an element that
/// stayed.
fn settle(
    deeds: Deeds<'_>,
    contents: &mut Contents,
    takers: &mut Takers,
    arrange: impl Fn(&Contents) -> Result<Vec<u32>, Clash>,
) -> Result<Vec<u32>, Answer> {
    loop {
        let clash = match arrange(contents) {
            Ok(order) => return Ok(order),
            Err(clash) => clash,
        };
        if clash.elements.is_empty() {
            return Err(Answer::Undecided(
                "the monitor found no order, and no reason either",
            ));
        }
        let deadline = contents.deadline(&clash);
        let stays = |at: &&u32| contents.elements[**at as usize].take == NEVER;
        let staying = clash.elements.iter().find(stays);
        if let Some(element) = staying
            && let Some(taker) = takers.assign_before(deadline)
        {
            let element = &mut contents.elements[*element as usize];
            element.take = taker;
            continue;
        }
        return Err(unhelped(deeds, contents, &clash, takers, arrange));
    }
}

/// What follows from a clash that no free taker can help.
fn unhelped(
    deeds: Deeds<'_>,
    contents: &Contents,
    clash: &Clash,
    takers: &Takers,
    arrange: impl Fn(&Contents) -> Result<Vec<u32>, Clash>,
) -> Answer {
    // What takers were assigned may have been taken by others, or by nobody: is there a clash without that, too early
    // for any taker to help?
    let known = contents.without_assigned(clash);
    match arrange(&known) {
        Err(clash) if !clash.elements.is_empty() && !takers.has_one_for(&known, &clash) => {
            conflict(deeds, &known, &clash)
        }
        _ => Answer::Undecided("crashed operations may have taken out one element or another"),
    }
}

/// The operations that took out nobody knows what, by the positions of their invocations, in order.
#[derive(Debug, Default)]
struct Takers {
    /// Those that no element was assigned to.
    free: Vec<u32>,
    /// The first of all.
    first: Option<u32>,
}

impl Takers {
    fn new(all: Vec<u32>) -> Self {
        Self {
            first: all.first().copied(),
            free: all,
        }
    }

    /// Uses the latest that begins before a deadline: those that began earlier are in time for more.
    fn assign_before(&mut self, deadline: u32) -> Option<u32> {
        let taker = self.free.iter().rposition(|invoked| *invoked < deadline)?;
        Some(self.free.remove(taker))
    }

    /// Whether one of them, free or not, might have taken out an element of a clash in time.
    fn has_one_for(&self, contents: &Contents, clash: &Clash) -> bool {
        let stays = |at: &u32| contents.elements[*at as usize].take == NEVER;
        let deadline = contents.deadline(clash);
        clash.elements.iter().any(stays) && self.first.is_some_and(|first| first < deadline)
    }
}

impl Contents {
    /// The last return of the operations of a clash.
    fn deadline(&self, clash: &Clash) -> u32 {
        let elements = clash.elements.iter().map(|at| &self.elements[*at as usize]);
        let returns = elements.flat_map(|element| [element.put_returned, element.take_returned]);
        let nothings = clash.nothings.iter();
        let nothings = nothings.map(|at| self.nothings[*at as usize].returned);
        let finite = returns.chain(nothings).filter(|at| *at != NEVER);
        finite.max().unwrap_or(0)
    }

    /// What clashes, as if nothing were assigned to an operation that took out nobody knows what.
    fn without_assigned(&self, clash: &Clash) -> Self {
        let sorted = |places: &[u32]| {
            let mut places = places.to_vec();
            places.sort_unstable();
            places
        };
        let elements = sorted(&clash.elements).into_iter().map(|at| {
            let element = self.elements[at as usize];
            match (element.take, element.take_returned) {
                // What it was taken out by did not return.
                (take, NEVER) if take != NEVER => Element {
                    take: NEVER,
                    ..element
                },
                _ => element,
            }
        });
        let nothings = sorted(&clash.nothings).into_iter();
        Self {
            elements: elements.collect(),
            nothings: nothings.map(|at| self.nothings[at as usize]).collect(),
        }
    }
}

/// The operations of a clash. What took out nobody knows what might have helped if there were fewer of them.
fn conflict(deeds: Deeds<'_>, contents: &Contents, clash: &Clash) -> Answer {
    let elements = clash
        .elements
        .iter()
        .map(|at| &contents.elements[*at as usize]);
    let elements = elements.flat_map(|element| [element.put_invoked, element.take]);
    let nothings = clash.nothings.iter();
    let nothings = nothings.map(|at| contents.nothings[*at as usize].invoked);
    let unknown = deeds.iter().filter(|mark| mark.is(Act::TakeSome));
    let unknown = unknown.map(|mark| mark.invoked);
    Answer::Conflict(Conflict::new(
        elements.chain(nothings).collect(),
        unknown.collect(),
    ))
}

/// The contents, and the operations that took out nobody knows what, in the order of their invocations.
fn collect(deeds: Deeds<'_>) -> Result<(Contents, Vec<u32>), Answer> {
    let mut contents = Contents::default();
    contents.elements.reserve(deeds.values);
    let mut unknown = Vec::new();
    // By value: the place of the element.
    let mut places = vec![NEVER; deeds.values];
    // What began to take an element out before the other began to put it in.
    let mut early = Vec::new();
    // A conflict counts only if nothing is put in twice.
    let mut taken = Ok(());
    for mark in deeds.iter() {
        match mark.act() {
            Act::Put => contents.put(&mark, &mut places[mark.value as usize])?,
            Act::Take => match places[mark.value as usize] {
                NEVER => early.push(mark),
                place => taken = taken.and_then(|()| contents.take(&mark, place)),
            },
            Act::TakeNone => contents.nothings.push(Nothing {
                invoked: mark.invoked,
                returned: mark.returned,
            }),
            Act::TakeSome => unknown.push(mark.invoked),
            _ => {
                return Err(Answer::Undecided(
                    "there are operations that the monitor does not know",
                ));
            }
        }
    }
    taken?;
    for mark in early {
        contents.take(&mark, places[mark.value as usize])?;
    }
    // What crashed, and put in what nobody took out, can be left out of every order that has it.
    let has_come = |element: &Element| element.put_returned != NEVER || element.take != NEVER;
    contents.elements.retain(has_come);
    Ok((contents, unknown))
}

impl Contents {
    /// Notes what was put in, and its place.
    fn put(&mut self, mark: &Mark, place: &mut u32) -> Result<(), Answer> {
        if *place != NEVER {
            return Err(Answer::Undecided("an element is put in twice"));
        }
        *place = u32::try_from(self.elements.len()).expect("fewer than events");
        self.elements.push(Element {
            value: mark.value,
            put_invoked: mark.invoked,
            put_returned: mark.returned,
            take_returned: NEVER,
            take: NEVER,
        });
        Ok(())
    }

    /// Notes that the element at a place was taken out.
    fn take(&mut self, mark: &Mark, place: u32) -> Result<(), Answer> {
        let conflict = |operations| Err(Answer::Conflict(Conflict::new(operations, Vec::new())));
        let Some(element) = self.elements.get_mut(place as usize) else {
            return conflict(vec![mark.invoked]);
        };
        if element.take != NEVER {
            return conflict(vec![element.put_invoked, element.take, mark.invoked]);
        }
        if mark.returned < element.put_invoked {
            return conflict(vec![mark.invoked]);
        }
        element.put_returned = element.put_returned.min(mark.returned);
        element.take_returned = mark.returned;
        element.take = mark.invoked;
        Ok(())
    }
}

/// A few elements that are certainly there, one after the other without a gap, at all times from one position to
/// another; none if there are no such elements.
pub(super) fn cover(
    elements: impl Iterator<Item = (u32, Element)> + Clone,
    from: u32,
    to: u32,
) -> Vec<u32> {
    let mut chosen = Vec::new();
    let mut covered = from;
    while covered < to {
        let there = elements
            .clone()
            .filter(|(_, element)| element.put_returned <= covered);
        let longest = there.max_by_key(|(_, element)| element.take_invoked());
        match longest {
            Some((at, element)) if element.take_invoked() > covered => {
                chosen.push(at);
                covered = element.take_invoked();
            }
            _ => return Vec::new(),
        }
    }
    chosen
}
