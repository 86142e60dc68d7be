//! What being observed costs: nothing that is allocated for a message.

#[cfg(test)]
mod allocator;
#[cfg(test)]
mod observed;
