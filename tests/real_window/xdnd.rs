//! A drag source for X11, as a file manager is one: offers files to a window and lets go of them (XDND version 5).

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, PropMode,
    SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, Window, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;
use x11rb::{COPY_DEPTH_FROM_PARENT, COPY_FROM_PARENT, CURRENT_TIME};

x11rb::atom_manager! {
    Atoms: AtomsCookie {
        XdndAware, XdndSelection, XdndEnter, XdndPosition, XdndStatus, XdndDrop, XdndFinished, XdndActionCopy,
        UriList: b"text/uri-list",
    }
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const PATIENCE: Duration = Duration::from_secs(30);

pub struct DragSource {
    connection: RustConnection,
    atoms: Atoms,
    root: Window,
    own: Window,
    uris: Vec<u8>,
}

impl DragSource {
    pub fn connect(display: &str, files: &[PathBuf]) -> Result<Self> {
        let (connection, screen) = RustConnection::connect(Some(display))?;
        let atoms = Atoms::new(&connection)?.reply()?;
        let root = connection.setup().roots[screen].root;
        let own = connection.generate_id()?;
        let depth = COPY_DEPTH_FROM_PARENT;
        let class = WindowClass::INPUT_OUTPUT;
        let aux = CreateWindowAux::new();
        connection
            .create_window(depth, own, root, 0, 0, 1, 1, 0, class, COPY_FROM_PARENT, &aux)?
            .check()?;
        let uris: Vec<_> = files
            .iter()
            .map(|file| format!("file://{}\r\n", encode(&file.to_string_lossy())))
            .collect();
        Ok(Self {
            connection,
            atoms,
            root,
            own,
            uris: uris.concat().into_bytes(),
        })
    }

    /// Waits until a window that takes drops is there.
    pub fn find_target(&self) -> Result<Window> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(window) = self.aware_window(self.root) {
                return Ok(window);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err("no window that takes drops appeared".into())
    }

    /// Drags the files to a place in the window and lets go.
    pub fn drop_on(&self, target: Window, x: u16, y: u16) -> Result<()> {
        let Atoms {
            XdndSelection,
            XdndEnter,
            XdndPosition,
            XdndDrop,
            XdndActionCopy,
            UriList,
            ..
        } = self.atoms;
        self.connection
            .set_selection_owner(self.own, XdndSelection, CURRENT_TIME)?
            .check()?;
        self.send(target, XdndEnter, [self.own, 5 << 24, UriList, 0, 0])?;
        let position = u32::from(x) << 16 | u32::from(y);
        self.send(
            target,
            XdndPosition,
            [self.own, 0, position, CURRENT_TIME, XdndActionCopy],
        )?;
        let status = self.serve_until(self.atoms.XdndStatus)?;
        if status[1] & 1 == 0 {
            return Err("the window refused the files".into());
        }
        self.send(target, XdndDrop, [self.own, 0, CURRENT_TIME, 0, 0])?;
        self.serve_until(self.atoms.XdndFinished)?;
        Ok(())
    }

    fn aware_window(&self, window: Window) -> Option<Window> {
        let property = self
            .connection
            .get_property(false, window, self.atoms.XdndAware, AtomEnum::ATOM, 0, 1)
            .ok()?;
        if property.reply().is_ok_and(|reply| reply.value_len > 0) {
            return Some(window);
        }
        let children = self.connection.query_tree(window).ok()?.reply().ok()?.children;
        children.into_iter().find_map(|child| self.aware_window(child))
    }

    fn send(&self, target: Window, kind: Atom, data: [u32; 5]) -> Result<()> {
        let event = ClientMessageEvent::new(32, target, kind, data);
        self.connection.send_event(false, target, EventMask::NO_EVENT, event)?;
        Ok(self.connection.flush()?)
    }

    /// Hands the files over when asked, until the window sends a message of this kind; gives its data.
    fn serve_until(&self, kind: Atom) -> Result<[u32; 5]> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            match self.connection.poll_for_event()? {
                Some(Event::SelectionRequest(request)) => self.hand_over(&request)?,
                Some(Event::ClientMessage(message)) if message.type_ == kind => return Ok(message.data.as_data32()),
                Some(_) => {}
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        }
        Err("the window did not answer the drag".into())
    }

    fn hand_over(&self, request: &SelectionRequestEvent) -> Result<()> {
        let (kind, bytes) = (self.atoms.UriList, &self.uris);
        self.connection
            .change_property8(PropMode::REPLACE, request.requestor, request.property, kind, bytes)?;
        let answer = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: request.requestor,
            selection: request.selection,
            target: request.target,
            property: request.property,
        };
        self.connection
            .send_event(false, request.requestor, EventMask::NO_EVENT, answer)?;
        Ok(self.connection.flush()?)
    }
}

/// Percent-encodes a path as RFC 3986 asks, slashes left alone.
fn encode(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
