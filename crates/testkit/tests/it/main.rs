//! Replays the corpora of the fuzz targets.

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod seeds;
